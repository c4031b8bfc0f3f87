//! The directory's contract.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // tests, and what they share

mod common;

use common::{Harness, address, new_mailbox};
use concord_directory::{
    Contact, Details, Directory, DirectoryAct, DirectoryError, DistributionList, Kind, NewObject,
    Object, Proxy, Resolution, expand, resolve,
};
use std::sync::Arc;

fn list(name: &str, members: &[&Arc<Object>]) -> NewObject {
    NewObject {
        name: name.into(),
        display_name: String::new(),
        proxies: vec![Proxy { address: address(&format!("{name}@example.test")), primary: true }],
        details: Details::List(DistributionList {
            members: members.iter().map(|m| m.id).collect(),
        }),
    }
}

fn domain(name: &str) -> NewObject {
    NewObject {
        name: name.into(),
        display_name: String::new(),
        proxies: vec![],
        details: Details::Domain,
    }
}

async fn add(h: &Harness, new: NewObject) -> Result<Arc<Object>, DirectoryError> {
    h.engine().change(DirectoryAct::Add(new)).await
}

#[tokio::test]
async fn names_and_addresses_are_unique_without_regard_to_case() {
    let h = Harness::new().await;
    let alice = add(&h, new_mailbox("alice")).await.unwrap();
    let taken = add(&h, new_mailbox("ALICE")).await;
    assert!(matches!(taken, Err(DirectoryError::NameTaken { .. })), "{taken:?}");
    let mut other = new_mailbox("bob");
    other.proxies.push(Proxy { address: address("Alice@Example.test"), primary: false });
    let taken = add(&h, other).await;
    assert!(matches!(taken, Err(DirectoryError::AddressTaken { .. })), "{taken:?}");
    // The failed one left nothing behind.
    assert!(h.engine().find(Kind::Mailbox, "bob").await.unwrap().is_none());
    // An object may keep its own addresses when it is changed.
    let renamed = Object { display_name: "A".into(), ..(*alice).clone() };
    let renamed = h.engine().change(DirectoryAct::Set(renamed)).await.unwrap();
    let found = h.engine().lookup(&address("ALICE@example.TEST")).await.unwrap();
    assert_eq!(found, Some(renamed));
}

#[tokio::test]
async fn addresses_resolve_through_tags_domains_and_lists() {
    let h = Harness::new().await;
    add(&h, domain("example.test")).await.unwrap();
    let alice = add(&h, new_mailbox("alice")).await.unwrap();
    let contact = NewObject {
        name: "carol".into(),
        display_name: "Carol".into(),
        proxies: vec![Proxy { address: address("carol@example.test"), primary: true }],
        details: Details::Contact(Contact { target: address("carol@far.test") }),
    };
    let carol = add(&h, contact).await.unwrap();
    let inner = add(&h, list("inner", &[&alice, &carol])).await.unwrap();
    let outer = add(&h, list("outer", &[&inner, &alice])).await.unwrap();
    // A loop: inner has outer as a member.
    let mut looped = (*inner).clone();
    looped.details =
        Details::List(DistributionList { members: vec![alice.id, carol.id, outer.id] });
    h.engine().change(DirectoryAct::Set(looped)).await.unwrap();
    let engine: &dyn Directory = &**h.engine();
    let is = |r| match r {
        Resolution::Recipient(o) => o.name.clone(),
        Resolution::Unknown => "unknown".into(),
        Resolution::Elsewhere(a) => a.to_string(),
    };
    for (text, expected) in [
        ("alice@example.test", "alice"),
        ("alice+news@example.test", "alice"),
        ("nobody@example.test", "unknown"),
        ("alice@other.test", "SMTP:alice@other.test"),
    ] {
        assert_eq!(is(resolve(engine, &address(text)).await.unwrap()), expected, "{text}");
    }
    let mut names: Vec<String> =
        expand(engine, outer).await.unwrap().iter().map(|o| o.name.clone()).collect();
    names.sort();
    assert_eq!(names, ["alice", "carol"]);
}

#[tokio::test]
async fn removals_clean_up_and_refuse_what_is_in_use() {
    let h = Harness::new().await;
    let example = add(&h, domain("example.test")).await.unwrap();
    let alice = add(&h, new_mailbox("alice")).await.unwrap();
    let all = add(&h, list("all", &[&alice])).await.unwrap();
    let in_use = h.engine().change(DirectoryAct::Remove(example.id)).await;
    assert!(matches!(in_use, Err(DirectoryError::InUse { .. })), "{in_use:?}");
    h.engine().change(DirectoryAct::Remove(alice.id)).await.unwrap();
    let all = h.engine().object(all.id).await.unwrap().unwrap();
    assert_eq!(all.details, Details::List(DistributionList::default()));
    let again = h.engine().change(DirectoryAct::Remove(alice.id)).await;
    assert!(matches!(again, Err(DirectoryError::NotFound { .. })));
    assert!(h.engine().login("alice").await.unwrap().is_none());
}
