//! Changes of a real directory over LDAP.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{BASE, PASSWORD, RECIPIENTS, Site, equal, search};
use concord_directory::{
    Details, Directory, DirectoryAct, DistributionList, Generator, Kind, NewObject, Object, Right,
    Scope,
};
use ldap3_proto::proto::{LdapModifyType as Do, LdapOp, LdapResultCode as Code};

const PERSON: (&str, &[&str]) = ("objectClass", &["inetOrgPerson"]);

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_is_added_with_what_it_needs() {
    let site = Site::new().await;
    let rule = Generator { component: "groupwise".into(), rule: "EXCHANGE.FIRST.%s.%g".into() };
    site.add(NewObject::new("GWISE", Details::Generator(rule))).await;
    let mut client = site.root().await;
    let dn = format!("uid=mia,{RECIPIENTS}");
    let added = client
        .add(
            &dn,
            &[
                PERSON,
                ("cn", &["Mia Moon"]),
                ("sn", &["Moon"]),
                ("givenName", &["Mia"]),
                ("telephoneNumber", &["1", "2"]),
                ("ou", &["Research"]),
                ("concordQuota", &["1000000"]),
                ("userPassword", &["a secret of hers"]),
            ],
        )
        .await;
    assert_eq!(added.code, Code::Success, "{added:?}");
    let mia = site.find(Kind::Mailbox, "mia").await;
    assert_eq!(mia.display_name, "Mia Moon");
    assert_eq!(mia.primary_smtp().unwrap().to_string(), "mia@example.test");
    assert!(
        mia.proxies.iter().any(|p| p.address.to_string() == "GWISE:EXCHANGE.FIRST.Moon.Mia"),
        "{mia:?}"
    );
    assert_eq!(mia.attributes.all("telephoneNumber"), ["1", "2"]);
    assert_eq!(mia.attributes.first("department"), Some("Research"));
    assert_eq!(mia.quota().unwrap().0, 1_000_000);
    let mut hers = site.connect();
    assert_eq!(hers.bind(&dn, "a secret of hers").await.code, Code::Success);
    assert_eq!(client.add(&dn, &[PERSON]).await.code, Code::EntryAlreadyExists);
}

// T95 over LDAP, and by twenty administrators at once.
#[tokio::test(flavor = "multi_thread")]
async fn people_of_one_name_get_addresses_of_their_own() {
    let site = Site::new().await;
    let rule = Generator { component: "groupwise".into(), rule: "EXCHANGE.FIRST.%s.%g".into() };
    site.add(NewObject::new("GWISE", Details::Generator(rule))).await;
    let mut adding = tokio::task::JoinSet::new();
    for number in 0..20 {
        let mut client = site.root().await;
        adding.spawn(async move {
            let dn = format!("cn=twin{number},{RECIPIENTS}");
            let names: &[&str] = &["Ann"];
            client.add(&dn, &[PERSON, ("sn", &["Lee"]), ("givenName", names)]).await
        });
    }
    for added in adding.join_all().await {
        assert_eq!(added.code, Code::Success, "{added:?}");
    }
    let mailboxes = site.engine.list(Kind::Mailbox).await.unwrap();
    let addresses: std::collections::BTreeSet<String> = mailboxes
        .iter()
        .flat_map(|mailbox| &mailbox.proxies)
        .filter(|proxy| proxy.address.kind().as_str() == "GWISE")
        .map(|proxy| proxy.address.to_string())
        .collect();
    assert_eq!(addresses.len(), 20);
}

/// A DN, attributes, and what becomes of adding them.
type Case<'a> = (String, Vec<(&'a str, &'a [&'a str])>, Code);

// Q222647, Q257578, T98: an entry that could not be replicated nor removed again.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_malformed_is_refused_and_nothing_is_stored() {
    let site = Site::new().await;
    let mut client = site.root().await;
    let before = site.engine.list(Kind::Mailbox).await.unwrap().len();
    let at = |name: &str| format!("cn={name},{RECIPIENTS}");
    let cases: Vec<Case<'_>> = vec![
        ("cn=\"x,o=Acme".into(), vec![PERSON], Code::InvalidDNSyntax),
        (format!("cn=a\\zz,{RECIPIENTS}"), vec![PERSON], Code::InvalidDNSyntax),
        (at("bell\\07"), vec![PERSON, ("mail", &["b@example.test"])], Code::ConstraintViolation),
        (
            at(&"x".repeat(65)),
            vec![PERSON, ("mail", &["b@example.test"])],
            Code::ConstraintViolation,
        ),
        (at("x"), vec![PERSON, ("mail", &["no address"])], Code::InvalidAttributeSyntax),
        (at("x"), vec![PERSON, ("mail", &["a@b@example.test"])], Code::InvalidAttributeSyntax),
        (at("x"), vec![PERSON, ("proxyAddresses", &["SMTP:"])], Code::InvalidAttributeSyntax),
        (
            at("x"),
            vec![PERSON, ("proxyAddresses", &["x@example.test"])],
            Code::InvalidAttributeSyntax,
        ),
        (
            at("x"),
            vec![PERSON, ("proxyAddresses", &["SMTP:x@example.test", "SMTP:y@example.test"])],
            Code::ConstraintViolation,
        ),
        (at("x"), vec![PERSON, ("mail", &["x@elsewhere.test"])], Code::ConstraintViolation),
        (at("x"), vec![PERSON, ("mail", &["jane@example.test"])], Code::ConstraintViolation),
        (at("x"), vec![PERSON, ("c", &["DEU"])], Code::ConstraintViolation),
        (at("x"), vec![PERSON, ("sn", &["a", "b"])], Code::ConstraintViolation),
        (at("x"), vec![PERSON, ("concordQuota", &["much"])], Code::InvalidAttributeSyntax),
        (at("x"), vec![PERSON, ("concordHidden", &["yes"])], Code::InvalidAttributeSyntax),
        (at("x"), vec![PERSON, ("entryUUID", &["1"])], Code::ConstraintViolation),
        (at("x"), vec![PERSON, ("member", &[BASE])], Code::ObjectClassViolation),
        (at("x"), vec![PERSON, ("shoeSize", &["44"])], Code::UndefinedAttributeType),
        (at("x"), vec![PERSON, ("uid", &["y"])], Code::NamingViolation),
        (at("x"), vec![PERSON, ("userPassword", &["{SSHA}abc"])], Code::ConstraintViolation),
        (at("x"), vec![("objectClass", &["posixAccount"])], Code::ObjectClassViolation),
        (at("x"), vec![("objectClass", &["concordContact"])], Code::ObjectClassViolation),
        (
            at("x"),
            vec![("objectClass", &["concordContact"]), ("targetAddress", &["NOTES:"])],
            Code::InvalidAttributeSyntax,
        ),
        (
            at("x"),
            vec![("objectClass", &["groupOfNames"]), ("member", &["cn=gone,o=Acme"])],
            Code::ConstraintViolation,
        ),
        (
            at("x"),
            vec![("objectClass", &["groupOfNames"]), ("member", &["nobody"])],
            Code::InvalidAttributeSyntax,
        ),
        (format!("cn=x,cn=None,{RECIPIENTS}"), vec![PERSON], Code::NoSuchObject),
        ("cn=x,cn=Configuration,ou=HQ,o=Acme".into(), vec![PERSON], Code::NamingViolation),
        (format!("cn=x+sn=y,{RECIPIENTS}"), vec![PERSON], Code::NamingViolation),
    ];
    for (dn, attributes, code) in cases {
        let result = client.add(&dn, &attributes).await;
        assert_eq!(result.code, code, "{dn} {attributes:?}: {}", result.message);
        assert!(!result.message.is_empty(), "{dn} {attributes:?}");
    }
    assert_eq!(site.engine.list(Kind::Mailbox).await.unwrap().len(), before);
    assert!(site.engine.list(Kind::Contact).await.unwrap().is_empty());
    assert!(site.engine.list(Kind::List).await.unwrap().is_empty());
}

// Q184536: one value of several could not be taken away.
#[tokio::test(flavor = "multi_thread")]
async fn values_are_added_and_taken_away_one_by_one_and_all_or_nothing() {
    let site = Site::new().await;
    let mut client = site.root().await;
    let dn = format!("cn=jane,{RECIPIENTS}");
    let done = client
        .modify(
            &dn,
            &[
                (Do::Add, "telephoneNumber", &["1", "2", "3"]),
                (Do::Delete, "telephoneNumber", &["2"]),
                (Do::Replace, "mail", &["j.doe@example.test"]),
                (Do::Replace, "title", &["Dr."]),
                (Do::Replace, "cn", &["Jane D.", "jane"]),
            ],
        )
        .await;
    assert_eq!(done.code, Code::Success, "{done:?}");
    let jane = site.find(Kind::Mailbox, "jane").await;
    assert_eq!(jane.attributes.all("telephoneNumber"), ["1", "3"]);
    assert_eq!(jane.display_name, "Jane D.");
    assert_eq!(jane.primary_smtp().unwrap().to_string(), "j.doe@example.test");
    // mail for the address before still arrives (Q141271)
    assert_eq!(jane.proxies.len(), 2);
    for (changes, code) in [
        (vec![(Do::Add, "telephoneNumber", &["1"][..])], Code::AttributeOrValueExists),
        (vec![(Do::Delete, "telephoneNumber", &["9"][..])], Code::NoSuchAttribute),
        (vec![(Do::Delete, "pager", &[][..])], Code::NoSuchAttribute),
        (vec![(Do::Replace, "uid", &["x"][..])], Code::NotALlowedOnRDN),
        (vec![(Do::Replace, "cn", &["x"][..])], Code::NotALlowedOnRDN),
        (vec![(Do::Add, "objectClass", &["concordRole"][..])], Code::ObjectClassModsProhibited),
        (
            vec![(Do::Replace, "title", &["Prof."][..]), (Do::Replace, "c", &["xyz"][..])],
            Code::ConstraintViolation,
        ),
    ] {
        let result = client.modify(&dn, &changes).await;
        assert_eq!(result.code, code, "{changes:?}: {}", result.message);
    }
    let still = site.find(Kind::Mailbox, "jane").await;
    assert_eq!(still.attributes.first("title"), Some("Dr."));
}

// Q135064, Q152082, T106: an owner that could not change the list it owned.
#[tokio::test(flavor = "multi_thread")]
async fn the_owner_of_a_list_changes_its_members_and_nothing_else() {
    let site = Site::new().await;
    let jane = site.find(Kind::Mailbox, "jane").await.id;
    let list = DistributionList { owners: vec![jane], ..DistributionList::default() };
    site.add(NewObject::new("club", Details::List(list))).await;
    let dn = format!("cn=club,{RECIPIENTS}");
    let john = format!("cn=john,{RECIPIENTS}");
    let mut owner = site.login("jane").await;
    let added = owner.modify(&dn, &[(Do::Add, "member", &[&john])]).await;
    assert_eq!(added.code, Code::Success, "{added:?}");
    assert_eq!(
        owner.search(search(BASE, equal("cn", "club"))).await.values("member"),
        std::slice::from_ref(&john)
    );
    let more = owner.modify(&dn, &[(Do::Add, "owner", &[&john])]).await;
    assert_eq!(more.code, Code::InsufficentAccessRights);
    let mut other = site.login("john").await;
    let others = other.modify(&dn, &[(Do::Delete, "member", &[&john])]).await;
    assert_eq!(others.code, Code::InsufficentAccessRights);
    // a list that gives a right is for those who have all
    let club = site.find(Kind::List, "club").await.id;
    site.role("club rules", vec![club], Right::Full, Scope::Organisation).await;
    let guarded = owner.modify(&dn, &[(Do::Delete, "member", &[&john])]).await;
    assert_eq!(guarded.code, Code::InsufficentAccessRights);
    let mut root = site.root().await;
    assert_eq!(root.modify(&dn, &[(Do::Delete, "member", &[&john])]).await.code, Code::Success);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_change_their_own_telephones_and_passwords() {
    let site = Site::new().await;
    let (jane, john) = (format!("cn=jane,{RECIPIENTS}"), format!("cn=john,{RECIPIENTS}"));
    let mut client = site.login("jane").await;
    let own = client.modify(&jane, &[(Do::Replace, "mobile", &["555"])]).await;
    assert_eq!(own.code, Code::Success, "{own:?}");
    for (dn, name, value) in [
        (&jane, "mail", "boss@example.test"),
        (&jane, "concordQuota", "1"),
        (&jane, "title", "Boss"),
        (&john, "mobile", "1"),
        (&john, "userPassword", "mine now"),
    ] {
        let refused = client.modify(dn, &[(Do::Replace, name, &[value])]).await;
        assert_eq!(refused.code, Code::InsufficentAccessRights, "{dn} {name}");
    }
    let changed = client.modify(&jane, &[(Do::Replace, "userPassword", &["another"])]).await;
    assert_eq!(changed.code, Code::Success, "{changed:?}");
    let mut again = site.connect();
    assert_eq!(again.bind("jane", PASSWORD).await.code, Code::InvalidCredentials);
    assert_eq!(again.bind("jane@example.test", "another").await.code, Code::Success);
    // RFC 3062 with the old password, and one that the server makes
    let wrong = [&[0x30, 7, 0x81, 5][..], b"wrong"].concat();
    let refused = again.extended("1.3.6.1.4.1.4203.1.11.1", Some(wrong)).await;
    assert_eq!(refused.res.code, Code::InvalidCredentials);
    let right = [&[0x30, 9, 0x81, 7][..], b"another"].concat();
    let done = again.extended("1.3.6.1.4.1.4203.1.11.1", Some(right)).await;
    assert_eq!(done.res.code, Code::Success);
    let made = String::from_utf8(done.value.unwrap()[4..].to_vec()).unwrap();
    assert_eq!(site.connect().bind(&jane, &made).await.code, Code::Success);
}

// Q200587, Q158028, Q261294: no delegation, and no moving between containers.
#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_of_a_container_stays_in_it() {
    let site = Site::new().await;
    let sales = site.add(NewObject::new("Sales", Details::Container)).await;
    let jane = site.find(Kind::Mailbox, "jane").await.id;
    let scope = Scope::Containers(vec![sales.id]);
    site.role("sales desk", vec![jane], Right::Recipients, scope).await;
    let place = format!("cn=Sales,{RECIPIENTS}");
    let mut client = site.login("jane").await;
    let added = client.add(&format!("cn=neu,{place}"), &[PERSON]).await;
    assert_eq!(added.code, Code::Success, "{added:?}");
    for (dn, attributes) in [
        (format!("cn=out,{RECIPIENTS}"), PERSON),
        (format!("cn=Deep,{place}"), ("objectClass", &["concordContainer"][..])),
        (
            "cn=r,cn=Roles,cn=Configuration,ou=HQ,o=Acme".into(),
            ("objectClass", &["concordRole"][..]),
        ),
    ] {
        let refused = client.add(&dn, &[attributes]).await;
        assert_eq!(refused.code, Code::InsufficentAccessRights, "{dn}: {}", refused.message);
    }
    let john = format!("cn=john,{RECIPIENTS}");
    let taken = client.rename(&john, "cn=john", Some(&place)).await;
    assert_eq!(taken.code, Code::InsufficentAccessRights);
    let mut root = site.root().await;
    assert_eq!(root.rename(&john, "cn=johnny", Some(&place)).await.code, Code::Success);
    let moved = format!("cn=johnny,{place}");
    let mine = client.modify(&moved, &[(Do::Replace, "title", &["Seller"])]).await;
    assert_eq!(mine.code, Code::Success, "{mine:?}");
    let back = client.rename(&moved, "cn=johnny", Some(RECIPIENTS)).await;
    assert_eq!(back.code, Code::InsufficentAccessRights);
    // the old name is free, the addresses stayed
    let john = site.find(Kind::Mailbox, "johnny").await;
    assert_eq!(john.primary_smtp().unwrap().to_string(), "john@example.test");
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_removed_and_renamed_as_the_tree_allows() {
    let site = Site::new().await;
    let sales = site.add(NewObject::new("Sales", Details::Container)).await;
    let mut inner = common::plain_mailbox("inner");
    inner.policy.container = Some(sales.id);
    let inner = site.add(inner).await;
    let list = DistributionList { members: vec![inner.id], ..DistributionList::default() };
    site.add(NewObject::new("club", Details::List(list))).await;
    let mut client = site.root().await;
    let place = format!("cn=Sales,{RECIPIENTS}");
    let delete = |dn: &str| LdapOp::DelRequest(dn.to_owned());
    assert_eq!(client.ask(delete(&place)).await.code, Code::NotAllowedOnNonLeaf);
    assert_eq!(client.ask(delete("o=Acme")).await.code, Code::NotAllowedOnNonLeaf);
    assert_eq!(
        client.ask(delete("cn=Recipients,ou=HQ,o=Acme")).await.code,
        Code::UnwillingToPerform
    );
    let circle = client.rename(&place, "cn=Sales", Some(&place)).await;
    assert_ne!(circle.code, Code::Success);
    let taken = client.rename(&format!("cn=inner,{place}"), "cn=jane", Some(RECIPIENTS)).await;
    assert_eq!(taken.code, Code::EntryAlreadyExists);
    assert_eq!(client.rename(&place, "cn=Markets", None).await.code, Code::Success);
    let place = format!("cn=Markets,{RECIPIENTS}");
    assert_eq!(client.ask(delete(&format!("cn=inner,{place}"))).await.code, Code::Success);
    assert!(site.find(Kind::List, "club").await.list().unwrap().members.is_empty());
    assert_eq!(client.ask(delete(&place)).await.code, Code::Success);
    let gone = client.ask(delete(&place)).await;
    assert_eq!((gone.code, gone.matcheddn.as_str()), (Code::NoSuchObject, RECIPIENTS));
    let busy = client.ask(delete("cn=example.test,cn=Domains,cn=Configuration,ou=HQ,o=Acme")).await;
    assert_eq!(busy.code, Code::UnwillingToPerform);
    let added = client
        .add(
            "cn=other.test,cn=Domains,cn=Configuration,ou=HQ,o=Acme",
            &[("objectClass", &["concordDomain"])],
        )
        .await;
    assert_eq!(added.code, Code::Success, "{added:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_who_change_one_list_at_once_lose_nothing() {
    let site = Site::new().await;
    site.many(20).await;
    site.add(NewObject::new("club", Details::List(DistributionList::default()))).await;
    let mut changing = tokio::task::JoinSet::new();
    for number in 0..20 {
        let mut client = site.root().await;
        changing.spawn(async move {
            let member = format!("cn=user{number:05},{RECIPIENTS}");
            let dn = format!("cn=club,{RECIPIENTS}");
            client.modify(&dn, &[(Do::Add, "member", &[&member])]).await.code
        });
    }
    assert!(changing.join_all().await.iter().all(|code| *code == Code::Success));
    assert_eq!(site.find(Kind::List, "club").await.list().unwrap().members.len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_are_attributes_of_administrators() {
    let site = Site::new().await;
    let mut client = site.root().await;
    let (jane, john) = (format!("cn=jane,{RECIPIENTS}"), format!("cn=john,{RECIPIENTS}"));
    let done = client
        .modify(
            &jane,
            &[
                (Do::Replace, "concordForwardTo", &[&john]),
                (Do::Replace, "concordForwardKeep", &["TRUE"]),
                (Do::Replace, "concordAcceptFrom", &[&john]),
                (Do::Replace, "concordReceiveLimit", &["1000"]),
                (Do::Replace, "concordTrust", &["50"]),
            ],
        )
        .await;
    assert_eq!(done.code, Code::Success, "{done:?}");
    let policy = site.find(Kind::Mailbox, "jane").await.policy.clone();
    let id = site.find(Kind::Mailbox, "john").await.id;
    assert!(policy.forward.is_some_and(|forward| forward.to == id && forward.keep));
    assert_eq!((policy.accept_from, policy.trust), (vec![id], 50));
    let filter = || equal("concordForwardTo", &john);
    assert_eq!(client.names(filter()).await, ["jane"]);
    let mut user = site.login("john").await;
    assert_eq!(user.names(filter()).await, [""; 0]);
    // who is barred is nobody from the next request on
    let mut object = Object::clone(&*site.find(Kind::Mailbox, "john").await);
    if let Details::Mailbox(mailbox) = &mut object.details {
        mailbox.login_disabled = true;
    }
    site.engine.change(DirectoryAct::Set(object)).await.unwrap();
    let barred = user.search(search(BASE, equal("uid", "jane"))).await;
    assert_eq!(barred.result.code, Code::InsufficentAccessRights);
}
