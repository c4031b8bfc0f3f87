use super::*;
use crate::catalogue::Catalogue;
use crate::filter::text::read;
use proptest::prelude::*;

fn compiled(text: &str) -> Filter {
    compile(&Catalogue::default(), &read(text)).unwrap()
}

#[test]
fn what_nobody_knows_is_undefined_and_no_error() {
    for text in [
        "(shoeSize=44)",
        "(cn;lang-de=Jane)",
        "(userPassword=secret)",
        "(member=not a dn)",
        "(concordQuota=many)",
        "(modifyTimestamp>=yesterday)",
        "(telephoneNumber>=5)",
        "(member=*x*)",
        "(cn:1.2.3.4:=x)",
    ] {
        assert_eq!(compiled(text), Filter::Undefined, "{text}");
    }
}

#[test]
fn conditions_are_prepared() {
    assert_eq!(compiled("(CN=Jane  DOE)"), Filter::Equal(Attr::Cn, "jane doe".into()));
    assert_eq!(compiled("(objectClass=PERSON)"), Filter::Class("person"));
    assert_eq!(compiled("(objectClass=posixAccount)"), Filter::False);
    let parts =
        Parts { initial: Some("ja".into()), any: vec![" b".into()], last: Some("e".into()) };
    assert_eq!(compiled("(cn=Ja* B*E)"), Filter::Parts(Attr::Cn, parts));
    assert_eq!(compiled("(2.5.4.3=a)"), compiled("(commonName=a)"));
    assert_eq!(
        compiled("(createTimestamp>=202601020304Z)"),
        Filter::AtLeast(Attr::CreateTimestamp, Order::Time(1_767_323_040_000))
    );
    assert_eq!(
        compiled("(createTimestamp<=2026010203.5+0100)"),
        Filter::AtMost(Attr::CreateTimestamp, Order::Time(1_767_321_000_000))
    );
}

#[test]
fn filters_that_nobody_means_are_refused() {
    use ldap3_proto::proto::LdapFilter;
    let present = || LdapFilter::Present("cn".into());
    let deep = (0..MAX_DEPTH).fold(present(), |inner, _| LdapFilter::Not(Box::new(inner)));
    assert_eq!(compile(&Catalogue::default(), &deep), None);
    let wide = LdapFilter::Or(vec![present(); MAX_CONDITIONS]);
    assert_eq!(compile(&Catalogue::default(), &wide), None);
}

proptest! {
    #[test]
    fn no_text_makes_compiling_panic(name in "[a-zA-Z0-9.;]{0,12}", value in ".{0,40}") {
        use ldap3_proto::proto::{LdapFilter, LdapSubstringFilter};
        let catalogue = Catalogue::default();
        let parts = LdapSubstringFilter {
            initial: Some(value.clone()),
            any: vec![value.clone()],
            final_: None,
        };
        for filter in [
            LdapFilter::Equality(name.clone(), value.clone()),
            LdapFilter::GreaterOrEqual(name.clone(), value.clone()),
            LdapFilter::Approx(name.clone(), value.clone()),
            LdapFilter::Substring(name.clone(), parts),
        ] {
            prop_assert!(compile(&catalogue, &filter).is_some());
        }
        for name in ["createTimestamp", "entryUUID", "member", "cn"] {
            let filter = LdapFilter::GreaterOrEqual(name.into(), value.clone());
            prop_assert!(compile(&catalogue, &filter).is_some());
        }
    }
}
