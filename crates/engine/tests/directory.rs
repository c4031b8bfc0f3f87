//! The directory's contract.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // tests, and what they share

mod common;

use common::{Harness, address, new_mailbox};
use concord_directory::{
    Connector, Contact, Details, Directory, DirectoryAct, DirectoryError, DistributionList, Kind,
    NewObject, Object, Proxy, Resolution, Routes, expand, resolve,
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
    let none = Routes::new(&[]);
    let is = |r| match r {
        Resolution::Recipient(o) => o.name.clone(),
        Resolution::Unknown => "unknown".into(),
        Resolution::Carried(a) => format!("carried {a}"),
        Resolution::Elsewhere(a) => a.to_string(),
    };
    for (text, expected) in [
        ("alice@example.test", "alice"),
        ("alice+news@example.test", "alice"),
        ("nobody@example.test", "unknown"),
        ("alice@other.test", "SMTP:alice@other.test"),
    ] {
        assert_eq!(is(resolve(engine, &none, &address(text)).await.unwrap()), expected, "{text}");
    }
    let mut names: Vec<String> =
        expand(engine, outer).await.unwrap().iter().map(|o| o.name.clone()).collect();
    names.sort();
    assert_eq!(names, ["alice", "carol"]);
}

fn webhook(spaces: &[&str]) -> NewObject {
    let settings = serde_json::json!({ "url": "http://x/", "deep": [{ "n": -1.5, "no": null }] });
    NewObject {
        name: "webhook".into(),
        display_name: String::new(),
        proxies: vec![],
        details: Details::Connector(Connector {
            component: "webhook".into(),
            enabled: true,
            address_spaces: spaces.iter().map(|s| s.parse().unwrap()).collect(),
            settings: settings.as_object().unwrap().clone(),
        }),
    }
}

#[tokio::test]
async fn a_connector_with_settings_outlives_restart_and_rebuild() {
    let mut h = Harness::new().await;
    let mut changed = h.engine().directory_changed();
    changed.mark_unchanged();
    let added = add(&h, webhook(&["*.hook.test", "HOOK:*"])).await.unwrap();
    assert!(changed.has_changed().unwrap(), "it has risen when the change returns");
    let mut set = (*added).clone();
    let Details::Connector(connector) = &mut set.details else { panic!("{set:?}") };
    connector.enabled = false;
    let set = h.engine().change(DirectoryAct::Set(set)).await.unwrap();
    h.reopen().await;
    assert_eq!(h.engine().find(Kind::Connector, "WebHook").await.unwrap(), Some(Arc::clone(&set)));
    h.engine = None;
    concord_engine::offline::rebuild(&h.options()).unwrap();
    h.reopen().await;
    assert_eq!(h.engine().list(Kind::Connector).await.unwrap(), [Arc::clone(&set)]);
    h.engine().change(DirectoryAct::Remove(set.id)).await.unwrap();
    assert!(h.engine().list(Kind::Connector).await.unwrap().is_empty());
}

#[tokio::test]
async fn users_behind_a_connector_are_of_our_domain_but_only_by_a_narrow_space() {
    let h = Harness::new().await;
    add(&h, domain("example.test")).await.unwrap();
    let alice = add(&h, new_mailbox("alice")).await.unwrap();
    let engine: &dyn Directory = &**h.engine();
    let with = |spaces: &[&str]| {
        let new = webhook(spaces);
        Routes::new(&[Arc::new(Object::from_new(alice.id, new, alice.created))])
    };
    let nobody = address("nobody@example.test");
    for (spaces, expected) in [
        (&["*"][..], Resolution::Unknown),
        (&["example.test"], Resolution::Carried(nobody.clone())),
        (&["nobody@example.test"], Resolution::Carried(nobody.clone())),
        (&["bob@example.test"], Resolution::Unknown),
    ] {
        assert_eq!(resolve(engine, &with(spaces), &nobody).await.unwrap(), expected, "{spaces:?}");
    }
    let all = with(&["example.test", "*.test", "*"]);
    let own = resolve(engine, &all, &address("alice@example.test")).await.unwrap();
    assert_eq!(own, Resolution::Recipient(alice), "who is here stays here");
    // Somebody else's domain stays somebody else's, however narrow the space.
    let far = address("x@far.test");
    let found = resolve(engine, &all, &far).await.unwrap();
    assert_eq!(found, Resolution::Elsewhere(far));
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
