use super::*;
use crate::dn;
use crate::filter::text::read;
use crate::filter::{Evaluation, compile};
use concord_address::TypedAddress;
use concord_base::Timestamp;
use concord_directory::{Details, DistributionList, Mailbox, NewObject, Policy, Proxy};

fn object(id: u64, new: NewObject) -> Object {
    Object { usn: id, ..Object::from_new(ObjectId(id), new, Timestamp(1_767_323_045_678)) }
}

fn person(id: u64, name: &str, display: &str, attributes: &[(&str, &str)]) -> Object {
    let address: TypedAddress = format!("{name}@example.test").parse().unwrap();
    let mut new = NewObject {
        display_name: display.into(),
        proxies: vec![Proxy { address, primary: true }],
        ..NewObject::new(name, Details::Mailbox(Mailbox::default()))
    };
    for (name, value) in attributes {
        new.attributes.set(name, vec![(*value).to_owned()]).unwrap();
    }
    object(id, new)
}

fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue { tree: Tree::new("Acme", "HQ"), ..Catalogue::default() };
    catalogue.put(&object(1, NewObject::new("Acme", Details::Organisation)));
    catalogue.put(&object(2, NewObject::new("HQ", Details::Site)));
    catalogue.put(&object(3, NewObject::new("Sales", Details::Container)));
    catalogue.put(&person(
        10,
        "jane",
        "Jane Doe",
        &[("telephoneNumber", "+49 30-12"), ("company", "Acme")],
    ));
    catalogue.put(&person(
        11,
        "john",
        "Doe, John",
        &[("givenName", "John"), ("department", "Sales")],
    ));
    let mut hidden = person(12, "boss", "The Boss", &[]);
    hidden.policy = Policy { hidden: true, container: Some(ObjectId(3)), ..Policy::default() };
    catalogue.put(&hidden);
    let list = DistributionList {
        members: vec![ObjectId(10), ObjectId(12)],
        hide_members: true,
        owners: vec![ObjectId(11)],
        ..DistributionList::default()
    };
    catalogue.put(&object(13, NewObject::new("staff", Details::List(list))));
    catalogue
}

/// Ids of the entries that a filter finds: by the indexes, and by looking at each
/// entry, which must be the same.
fn found(catalogue: &Catalogue, access: &Access, filter: &str) -> Vec<u64> {
    let filter = compile(catalogue, &read(filter)).unwrap();
    let mut evaluation = Evaluation::new(catalogue, access);
    let mut by = |slots: RoaringBitmap| -> Vec<u64> {
        slots
            .iter()
            .filter_map(|slot| Some((slot, catalogue.get(slot)?)))
            .filter(|(_, entry)| catalogue.sees(access, entry))
            .filter(|(slot, entry)| evaluation.matches(&filter, *slot, entry) == Some(true))
            .map(|(_, entry)| entry.id)
            .collect()
    };
    let all = by(catalogue.everything().clone());
    if let Some(candidates) = filter.candidates(catalogue) {
        assert_eq!(by(candidates), all, "{filter:?}");
    }
    all
}

async fn local() -> Access {
    Access::read(&Nothing, concord_directory::Who::Local).await.unwrap()
}

/// A directory without objects: who is local needs none.
struct Nothing;

#[async_trait::async_trait]
impl concord_directory::Directory for Nothing {
    async fn object(&self, _: ObjectId) -> Answer<Option<std::sync::Arc<Object>>> {
        Ok(None)
    }
    async fn find(&self, _: Kind, _: &str) -> Answer<Option<std::sync::Arc<Object>>> {
        Ok(None)
    }
    async fn list(&self, _: Kind) -> Answer<Vec<std::sync::Arc<Object>>> {
        Ok(Vec::new())
    }
    async fn lookup(&self, _: &TypedAddress) -> Answer<Option<std::sync::Arc<Object>>> {
        Ok(None)
    }
    async fn is_local_domain(&self, _: &concord_address::Domain) -> Answer<bool> {
        Ok(false)
    }
    async fn login(&self, _: &str) -> Answer<Option<std::sync::Arc<Object>>> {
        Ok(None)
    }
    async fn directory_changes(&self, _: u64, _: usize) -> Answer<concord_directory::Changes> {
        Ok(concord_directory::Changes::default())
    }
    async fn connector_state(&self, _: &str, _: &str) -> Answer<Option<Vec<u8>>> {
        Ok(None)
    }
    async fn set_connector_state(&self, _: &str, _: &str, _: Option<Vec<u8>>) -> Answer<()> {
        Ok(())
    }
    async fn forget_removed(&self, _: Timestamp) -> Answer<u64> {
        Ok(0)
    }
    async fn change(&self, _: concord_directory::DirectoryAct) -> Answer<std::sync::Arc<Object>> {
        Err(concord_base::StorageError::Stopping.into())
    }
    fn directory_changed(&self) -> tokio::sync::watch::Receiver<u64> {
        tokio::sync::watch::channel(0).1
    }
}

type Answer<T> = Result<T, concord_directory::DirectoryError>;

#[tokio::test]
async fn filters_find_what_they_say() {
    let catalogue = catalogue();
    let access = local().await;
    for (filter, ids) in [
        ("(cn=jane)", vec![10]),
        ("(cn=jane doe)", vec![10]),
        ("(uid=JANE)", vec![10]),
        ("(mail=jane@example.test)", vec![10]),
        ("(proxyAddresses=smtp:jane@example.test)", vec![10]),
        ("(cn=*oe*)", vec![10, 11]),
        ("(displayName=Ja*e)", vec![10]),
        ("(displayName=*Doe)", vec![10]),
        ("(mail=*@example.*)", vec![10, 11, 12]),
        ("(telephoneNumber=+493012)", vec![10]),
        ("(telephoneNumber=*30 12)", vec![10]),
        ("(o=Acme)", vec![1, 10]),
        ("(ou=sales)", vec![11]),
        ("(sn=doe)", vec![10, 11]),
        ("(givenName=*)", vec![11]),
        ("(!(givenName=*))", vec![1, 2, 3, 10, 12, 13]),
        ("(&(objectClass=person)(!(cn=jane)))", vec![11, 12]),
        ("(|(cn=jane)(shoeSize=5))", vec![10]),
        ("(!(shoeSize=5))", vec![]),
        ("(&(cn=jane)(shoeSize=5))", vec![]),
        ("(member=cn=jane,cn=Recipients,ou=HQ,o=Acme)", vec![13]),
        ("(memberOf=cn=staff,cn=Recipients,ou=HQ,o=Acme)", vec![10, 12]),
        ("(entryDN=CN=JANE,cn=recipients,OU=hq,o=acme)", vec![10]),
        ("(concordUsn>=12)", vec![12, 13]),
        ("(concordUsn<=2)", vec![1, 2]),
        ("(createTimestamp>=20260102030405Z)", vec![1, 2, 3, 10, 11, 12, 13]),
        ("(modifyTimestamp>=20260102030406Z)", vec![]),
        ("(givenName>=joho)", vec![]),
        ("(givenName>=joha)", vec![11]),
        ("(cn~=Jayne Doh)", vec![10]),
        ("(cn:caseExactMatch:=Jane Doe)", vec![10]),
        ("(cn:caseExactMatch:=jane doe)", vec![]),
        ("(cn:dn:=sales)", vec![3, 12]),
        ("(:dn:caseIgnoreMatch:=john)", vec![11]),
        ("(concordHidden=TRUE)", vec![12]),
        ("(objectClass=concordDistributionList)", vec![13]),
    ] {
        let mut all = found(&catalogue, &access, filter);
        all.retain(|id| *id < MADE_UP);
        assert_eq!(all, ids, "{filter}");
    }
}

#[tokio::test]
async fn what_is_hidden_answers_no_question() {
    let catalogue = catalogue();
    let user = Access::read(&Nothing, concord_directory::Who::Mailbox(ObjectId(10))).await.unwrap();
    for (filter, ids) in [
        ("(uid=boss)", vec![]),
        ("(member=cn=jane,cn=Recipients,ou=HQ,o=Acme)", vec![]),
        ("(!(member=cn=jane,cn=Recipients,ou=HQ,o=Acme))", vec![]),
        ("(memberOf=cn=staff,cn=Recipients,ou=HQ,o=Acme)", vec![]),
        ("(concordHidden=TRUE)", vec![]),
        ("(objectClass=concordDistributionList)", vec![13]),
        ("(cn=Configuration)", vec![]),
    ] {
        let all = found(&catalogue, &user, filter);
        let all: Vec<u64> = all.into_iter().filter(|id| matches!(id, 10..=13)).collect();
        // entries without members of lists that show theirs answer a negation
        let all: Vec<u64> = if filter.starts_with("(!") {
            all.into_iter().filter(|id| *id == 13).collect()
        } else {
            all
        };
        assert_eq!(all, ids, "{filter}");
    }
    let owner =
        Access::read(&Nothing, concord_directory::Who::Mailbox(ObjectId(11))).await.unwrap();
    let all = found(&catalogue, &owner, "(member=cn=jane,cn=Recipients,ou=HQ,o=Acme)");
    assert_eq!(all, [13]);
}

#[test]
fn entries_stand_where_the_tree_says() {
    let catalogue = catalogue();
    let dn = "cn=boss,cn=Sales,cn=Recipients,ou=HQ,o=Acme";
    assert_eq!(catalogue.dn_of(12).unwrap(), dn);
    let slot = catalogue.slot_of(12).unwrap();
    assert_eq!(catalogue.find(&dn::parse(dn).unwrap()), Ok(slot));
    let near = catalogue.find(&dn::parse("cn=x,cn=Sales,cn=Recipients,ou=HQ,o=Acme").unwrap());
    assert_eq!(
        near.map_err(|near| catalogue.dn(near)).unwrap_err(),
        "cn=Sales,cn=Recipients,ou=HQ,o=Acme"
    );
    assert!(catalogue.is_within(slot, catalogue.slot_of(3).unwrap()));
    let uuid = catalogue.uuid(12);
    assert_eq!(catalogue.id_of_uuid(&uuid), Some(12));
    assert_eq!(catalogue.id_of_uuid("00000000-0000-8000-8000-00000000000c"), None);
    let roles = "cn=Roles,cn=Configuration,ou=HQ,o=Acme";
    assert_eq!(catalogue.dn(catalogue.place("Roles").unwrap()), roles);
}

#[tokio::test]
async fn a_change_is_a_change_of_every_index() {
    let mut catalogue = catalogue();
    let access = local().await;
    let mut jane = person(10, "janet", "Janet Roe", &[]);
    jane.policy.container = Some(ObjectId(3));
    catalogue.put(&jane);
    assert_eq!(found(&catalogue, &access, "(cn=jane)"), [0_u64; 0]);
    assert_eq!(found(&catalogue, &access, "(telephoneNumber=*)"), [0_u64; 0]);
    assert_eq!(found(&catalogue, &access, "(cn=*anet*)"), [10]);
    assert_eq!(catalogue.dn_of(10).unwrap(), "cn=janet,cn=Sales,cn=Recipients,ou=HQ,o=Acme");
    catalogue.put(&object(3, NewObject::new("Markets", Details::Container)));
    assert_eq!(catalogue.dn_of(10).unwrap(), "cn=janet,cn=Markets,cn=Recipients,ou=HQ,o=Acme");
    catalogue.remove(&jane);
    assert_eq!(found(&catalogue, &access, "(sn=roe)"), [0_u64; 0]);
    assert_eq!(catalogue.slot_of(10), None);
}
