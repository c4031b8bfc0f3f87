//! Searches over a real directory.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{BASE, RECIPIENTS, Site, equal, present, search};
use concord_base::Timestamp;
use concord_directory::{
    Details, Directory, DirectoryAct, DistributionList, Kind, NewObject, Object, Right, Scope,
};
use ldap3_proto::control::{LdapControl, ServerSortRequet};
use ldap3_proto::proto::{LdapFilter, LdapOp, LdapResultCode as Code, LdapSearchScope};
use std::time::Duration;

fn page(size: i64, cookie: Vec<u8>) -> Vec<LdapControl> {
    vec![LdapControl::SimplePagedResults { size, cookie }]
}

fn cookie(controls: &[LdapControl]) -> Vec<u8> {
    match controls {
        [LdapControl::SimplePagedResults { cookie, .. }] => cookie.clone(),
        other => panic!("{other:?}"),
    }
}

// Q246567, T110: a paged search on a DN attribute found nothing above the limit.
#[tokio::test(flavor = "multi_thread")]
async fn fifteen_hundred_entries_by_a_dn_attribute_come_in_pages_of_a_hundred() {
    let site = Site::new().await;
    let members = site.many(1_500).await;
    let list = DistributionList { members, ..DistributionList::default() };
    site.add(NewObject::new("everybody", Details::List(list))).await;
    // not an administrator: the result size of 1,000 is for one page
    let mut client = site.login("jane").await;
    let filter = equal("memberOf", &format!("cn=everybody,{RECIPIENTS}"));
    let (mut names, mut pages, mut next) = (std::collections::BTreeSet::new(), 0, Vec::new());
    loop {
        let found = client.search_with(search(BASE, filter.clone()), page(100, next)).await;
        assert_eq!(found.result.code, Code::Success);
        assert_eq!(found.entries.len(), 100);
        names.extend(found.names());
        pages += 1;
        next = cookie(&found.controls);
        if next.is_empty() {
            break;
        }
        // what goes or comes meanwhile does not shift the pages
        if pages == 3 {
            site.mailbox("latecomer").await;
        }
    }
    assert_eq!((names.len(), pages), (1_500, 15));
    let all = client.search(search(BASE, filter)).await;
    assert_eq!((all.result.code, all.entries.len()), (Code::SizeLimitExceeded, 1_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_is_good_once_and_for_its_own_search() {
    let site = Site::new().await;
    let mut client = site.root().await;
    let people = || search(BASE, equal("objectClass", "person"));
    let first = client.search_with(people(), page(1, Vec::new())).await;
    let used = cookie(&first.controls);
    let mut other = site.root().await;
    let stolen = other.search_with(people(), page(1, used.clone())).await;
    assert_eq!(stolen.result.code, Code::UnwillingToPerform);
    let twisted = search(BASE, present("objectClass"));
    let twisted = client.search_with(twisted, page(1, used.clone())).await;
    assert_eq!(twisted.result.code, Code::UnwillingToPerform);
    let again = client.search_with(people(), page(1, used)).await;
    assert_eq!(again.result.code, Code::UnwillingToPerform);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_sees_every_change_that_was_finished_before_it() {
    let site = Site::new().await;
    let mut client = site.root().await;
    let jane = site.find(Kind::Mailbox, "jane").await;
    for number in 0..200 {
        let mut object = Object::clone(&jane);
        object.attributes.set("title", vec![format!("Rank {number}")]).unwrap();
        site.engine.change(DirectoryAct::Set(object)).await.unwrap();
        let found = client.names(equal("title", &format!("rank {number}"))).await;
        assert_eq!(found, ["jane"]);
    }
    assert_eq!(client.names(equal("title", "Rank 198")).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_forgot_its_removals_is_read_anew() {
    let site = Site::new().await;
    let mut client = site.root().await;
    assert_eq!(client.names(equal("uid", "john")).await, ["john"]);
    let john = site.find(Kind::Mailbox, "john").await;
    site.engine.change(DirectoryAct::Remove(john.id)).await.unwrap();
    site.clock.advance(Duration::from_secs(10));
    let later = Timestamp::from_seconds(1_800_000_005);
    assert_eq!(site.engine.forget_removed(later).await.unwrap(), 1);
    assert_eq!(client.names(equal("uid", "john")).await, [""; 0]);
    assert_eq!(client.names(equal("uid", "jane")).await, ["jane"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_search_stops() {
    let site = Site::new().await;
    site.many(1_500).await;
    // little fits on the way, so the server waits for us in the middle
    let mut client = site.connect_by(concord_ldap::Way::Plain, 1_024);
    client.bind("root", common::PASSWORD).await;
    let id = client
        .send(LdapOp::SearchRequest(search(BASE, equal("objectClass", "person"))), Vec::new())
        .await;
    client.send(LdapOp::AbandonRequest(id), Vec::new()).await;
    let who =
        client.send(LdapOp::SearchRequest(search(BASE, equal("uid", "jane"))), Vec::new()).await;
    let mut entries = 0;
    loop {
        let message = client.receive().await.unwrap();
        match message.op {
            LdapOp::SearchResultEntry(_) if message.msgid == id => entries += 1,
            LdapOp::SearchResultEntry(_) => {}
            LdapOp::SearchResultDone(result) => {
                assert_eq!(message.msgid, who, "the abandoned search was answered: {result:?}");
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(entries < 1_000, "{entries} entries came");
}

#[tokio::test(flavor = "multi_thread")]
async fn results_come_in_the_order_that_was_asked_for() {
    let site = Site::new().await;
    let mut client = site.root().await;
    for (name, surname) in [("jane", "Zimmer"), ("john", "adams"), ("root", "Öz")] {
        let mut object = Object::clone(&*site.find(Kind::Mailbox, name).await);
        object.attributes.set("sn", vec![surname.to_owned()]).unwrap();
        site.engine.change(DirectoryAct::Set(object)).await.unwrap();
    }
    let sort = |attribute: &str, reverse| {
        vec![LdapControl::ServerSort {
            sort_requests: vec![ServerSortRequet {
                attribute_name: attribute.to_owned(),
                ordering_rule: None,
                reverse_order: reverse,
            }],
        }]
    };
    let people = || search(BASE, equal("objectClass", "person"));
    let up = client.search_with(people(), sort("sn", false)).await;
    assert_eq!(up.names(), ["john", "jane", "root"]);
    assert!(matches!(up.controls[..], [LdapControl::ServerSortResult { .. }]), "{up:?}");
    let down = client.search_with(people(), sort("sn", true)).await;
    assert_eq!(down.names(), ["root", "jane", "john"]);
    // an attribute that nobody knows sorts nothing, and stops nothing
    let unknown = client.search_with(people(), sort("shoeSize", false)).await;
    assert_eq!((unknown.result.code, unknown.entries.len()), (Code::Success, 3));
    let mut paged = sort("sn", false);
    paged.extend(page(2, Vec::new()));
    let first = client.search_with(people(), paged).await;
    assert_eq!(first.names(), ["john", "jane"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_scrolls_through_sorted_entries() {
    let site = Site::new().await;
    site.many(50).await;
    let mut client = site.root().await;
    // SEQUENCE { before 1, after 2, [1] "user00020" }
    let value = [&[0x30, 17, 2, 1, 1, 2, 1, 2, 0x81, 9][..], b"user00020"].concat();
    let controls = vec![
        LdapControl::ServerSort {
            sort_requests: vec![ServerSortRequet {
                attribute_name: "uid".into(),
                ordering_rule: None,
                reverse_order: false,
            }],
        },
        LdapControl::Unknown {
            oid: "2.16.840.1.113730.3.4.9".into(),
            criticality: true,
            value: Some(value),
        },
    ];
    let found = client.search_with(search(BASE, present("uid")), controls).await;
    assert_eq!(found.result.code, Code::Success, "{:?}", found.result);
    assert_eq!(found.names(), ["user00019", "user00020", "user00021", "user00022"]);
    let answer = found.controls.iter().find_map(|control| match control {
        LdapControl::Unknown { oid, value, .. } if oid.ends_with("3.4.10") => value.clone(),
        _ => None,
    });
    // jane, john and root stand before the users: place 24 of 53
    assert_eq!(answer.unwrap(), [0x30, 9, 2, 1, 24, 2, 1, 53, 10, 1, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_is_given_and_nothing_else() {
    let site = Site::new().await;
    let mut client = site.login("jane").await;
    let mut asked = search(&format!("cn=john,{RECIPIENTS}"), present("objectClass"));
    asked.scope = LdapSearchScope::Base;
    for (attributes, expected) in [
        (vec!["1.1"], vec![]),
        (vec!["MAIL", "shoeSize"], vec!["mail"]),
        (vec!["commonName", "entryUUID"], vec!["cn", "entryUUID"]),
        (vec!["cn;lang-de", "concordQuota", "userPassword"], vec![]),
    ] {
        asked.attrs = attributes.iter().map(|name| (*name).to_owned()).collect();
        let found = client.search(asked.clone()).await;
        let names: Vec<_> = found.entries[0].attributes.iter().map(|a| a.atype.as_str()).collect();
        assert_eq!(names, expected, "{attributes:?}");
    }
    asked.attrs = vec!["+".into()];
    let operational = client.search(asked.clone()).await;
    assert!(operational.values("mail").is_empty());
    assert_eq!(operational.values("structuralObjectClass"), ["inetOrgPerson"]);
    asked.attrs = vec!["mail".into()];
    asked.typesonly = true;
    let types = client.search(asked).await;
    assert_eq!(types.entries[0].attributes[0].vals, Vec::<Vec<u8>>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_say_where_is_looked() {
    let site = Site::new().await;
    let mut client = site.login("jane").await;
    let sales = site.add(NewObject::new("Sales", Details::Container)).await;
    let mut inner = common::plain_mailbox("inner");
    inner.policy.container = Some(sales.id);
    site.add(inner).await;
    for (base, scope, expected) in [
        (RECIPIENTS, LdapSearchScope::Base, vec!["Recipients"]),
        (RECIPIENTS, LdapSearchScope::OneLevel, vec!["root", "jane", "john", "Sales"]),
        (
            RECIPIENTS,
            LdapSearchScope::Subtree,
            vec!["Recipients", "root", "jane", "john", "Sales", "inner"],
        ),
        (RECIPIENTS, LdapSearchScope::Children, vec!["root", "jane", "john", "Sales", "inner"]),
        ("cn=Sales,cn=Recipients,ou=HQ,o=Acme", LdapSearchScope::OneLevel, vec!["inner"]),
        ("", LdapSearchScope::OneLevel, vec!["o=Acme"]),
        ("o=Acme", LdapSearchScope::OneLevel, vec!["ou=HQ"]),
    ] {
        let mut asked = search(base, present("objectClass"));
        asked.scope = scope.clone();
        let mut names = client.search(asked).await.names();
        let mut expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        names.sort();
        expected.sort();
        assert_eq!(names, expected, "{base} {scope:?}");
    }
    let missing = client.search(search("cn=x,cn=Sales,cn=Recipients,ou=HQ,o=Acme", present("cn")));
    let missing = missing.await.result;
    assert_eq!(missing.code, Code::NoSuchObject);
    assert_eq!(missing.matcheddn, "cn=Sales,cn=Recipients,ou=HQ,o=Acme");
    let bad = client.search(search("what is this", present("cn"))).await;
    assert_eq!(bad.result.code, Code::InvalidDNSyntax);
}

// Q192306, Q196491, Q185475: search control made clients fail, and hid things from
// administrators.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_hidden_is_not_there_for_users_and_is_for_administrators() {
    let site = Site::new().await;
    let mut boss = common::plain_mailbox("boss");
    boss.policy.hidden = true;
    let boss = site.add(boss).await;
    let list = DistributionList {
        members: vec![boss.id, site.find(Kind::Mailbox, "jane").await.id],
        ..DistributionList::default()
    };
    site.add(NewObject::new("board", Details::List(list))).await;
    let mut user = site.login("john").await;
    assert_eq!(user.names(equal("uid", "boss")).await, [""; 0]);
    let board = user.search(search(BASE, equal("cn", "board"))).await;
    assert_eq!(board.values("member"), [format!("cn=jane,{RECIPIENTS}")]);
    let base = user.search(search(&format!("cn=boss,{RECIPIENTS}"), present("cn"))).await;
    assert_eq!(base.result.code, Code::NoSuchObject);
    assert_eq!(user.names(equal("cn", "Roles")).await, [""; 0]);
    let mut root = site.root().await;
    assert_eq!(root.names(equal("uid", "boss")).await, ["boss"]);
    assert_eq!(root.names(equal("cn", "Roles")).await, ["Roles"]);
    let board = root.search(search(BASE, equal("cn", "board"))).await;
    assert_eq!(board.values("member").len(), 2);
    // a role counts from the moment on at which it is there, in open sessions too
    let john = site.find(Kind::Mailbox, "john").await;
    let role = site.role("look", vec![john.id], Right::View, Scope::Organisation).await;
    assert_eq!(user.names(equal("uid", "boss")).await, ["boss"]);
    site.engine.change(DirectoryAct::Remove(role.id)).await.unwrap();
    assert_eq!(user.names(equal("uid", "boss")).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_without_measure_is_refused() {
    let site = Site::new().await;
    let mut client = site.root().await;
    let wide = LdapFilter::Or(vec![present("cn"); 2_000]);
    assert_eq!(client.search(search(BASE, wide)).await.result.code, Code::AdminLimitExceeded);
    let mut slow = search(BASE, present("objectClass"));
    slow.sizelimit = 2;
    let found = client.search(slow).await;
    assert_eq!((found.result.code, found.entries.len()), (Code::SizeLimitExceeded, 2));
}

// A container that was renamed comes after what is in it, among the changes.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_picture_has_containers_before_what_is_in_them() {
    let site = Site::new().await;
    let outer = site.add(NewObject::new("Outer", Details::Container)).await;
    let mut inner = NewObject::new("Inner", Details::Container);
    inner.policy.container = Some(outer.id);
    let inner = site.add(inner).await;
    let mut person = common::plain_mailbox("deep");
    person.policy.container = Some(inner.id);
    site.add(person).await;
    for (container, name) in [(&inner, "Within"), (&outer, "Around")] {
        let mut renamed = Object::clone(container);
        renamed.name = name.to_owned();
        site.engine.change(DirectoryAct::Set(renamed)).await.unwrap();
    }
    // nobody has searched so far: the picture is made now
    let mut client = site.connect();
    client.bind("root", common::PASSWORD).await;
    let found = client.search(search(BASE, equal("uid", "deep"))).await;
    assert_eq!(found.entries[0].dn, format!("cn=deep,cn=Within,cn=Around,{RECIPIENTS}"));
    // and it follows a move of everything
    let mut moved = Object::clone(&*site.find(Kind::Container, "Within").await);
    moved.policy.container = None;
    site.engine.change(DirectoryAct::Set(moved)).await.unwrap();
    let found = client.search(search(BASE, equal("uid", "deep"))).await;
    assert_eq!(found.entries[0].dn, format!("cn=deep,cn=Within,{RECIPIENTS}"));
}
