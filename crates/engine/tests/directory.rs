//! The directory's contract.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // tests, and what they share

mod common;

use common::{Harness, address, new_mailbox};
use concord_directory::{
    Connector, Contact, Details, Directory, DirectoryAct, DirectoryError, DistributionList, Kind,
    NewObject, Object, Proxy, Resolution, Routes, expand, resolve,
};
use std::sync::Arc;

const HOST: &str = "mail.example.test";

fn list(name: &str, members: &[&Arc<Object>]) -> NewObject {
    NewObject {
        name: name.into(),
        display_name: String::new(),
        proxies: vec![Proxy { address: address(&format!("{name}@example.test")), primary: true }],
        details: Details::List(DistributionList {
            members: members.iter().map(|m| m.id).collect(),
            ..DistributionList::default()
        }),
        attributes: Default::default(),
        policy: Default::default(),
    }
}

fn domain(name: &str) -> NewObject {
    NewObject {
        name: name.into(),
        display_name: String::new(),
        proxies: vec![],
        details: Details::Domain,
        attributes: Default::default(),
        policy: Default::default(),
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
        attributes: Default::default(),
        policy: Default::default(),
    };
    let carol = add(&h, contact).await.unwrap();
    let inner = add(&h, list("inner", &[&alice, &carol])).await.unwrap();
    let outer = add(&h, list("outer", &[&inner, &alice])).await.unwrap();
    // A loop: inner has outer as a member.
    let mut looped = (*inner).clone();
    looped.details = Details::List(DistributionList {
        members: vec![alice.id, carol.id, outer.id],
        ..DistributionList::default()
    });
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
        assert_eq!(
            is(resolve(engine, &none, HOST, Some('+'), &address(text)).await.unwrap()),
            expected,
            "{text}"
        );
    }
    let mut names: Vec<String> =
        expand(engine, outer).await.unwrap().iter().map(|r| r.object.name.clone()).collect();
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
        attributes: Default::default(),
        policy: Default::default(),
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
        assert_eq!(
            resolve(engine, &with(spaces), HOST, Some('+'), &nobody).await.unwrap(),
            expected,
            "{spaces:?}"
        );
    }
    let all = with(&["example.test", "*.test", "*"]);
    let own = resolve(engine, &all, HOST, Some('+'), &address("alice@example.test")).await.unwrap();
    assert_eq!(own, Resolution::Recipient(alice), "who is here stays here");
    // Somebody else's domain stays somebody else's, however narrow the space.
    let far = address("x@far.test");
    let found = resolve(engine, &all, HOST, Some('+'), &far).await.unwrap();
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

fn plain(name: &str, details: Details) -> NewObject {
    NewObject::new(name, details)
}

fn contact(name: &str, target: &str) -> NewObject {
    plain(name, Details::Contact(Contact { target: address(target) }))
}

#[tokio::test]
async fn what_changed_since_a_moment_can_be_asked_for() {
    let mut h = Harness::new().await;
    let start = h.engine().directory_changes(0, 10).await.unwrap();
    let alice = add(&h, new_mailbox("alice")).await.unwrap();
    let far = add(&h, contact("far", "GWISE:DOM.PO.far")).await.unwrap();
    let all = h.engine().directory_changes(start.up_to, 1).await.unwrap();
    assert_eq!(all.objects, [Arc::clone(&alice)]);
    assert!(all.more);
    let rest = h.engine().directory_changes(all.up_to, 10).await.unwrap();
    assert_eq!(rest.objects, [Arc::clone(&far)]);
    h.engine().change(DirectoryAct::Remove(far.id)).await.unwrap();
    let renamed = Object { display_name: "A".into(), ..(*alice).clone() };
    let renamed = h.engine().change(DirectoryAct::Set(renamed)).await.unwrap();
    let last = h.engine().directory_changes(rest.up_to, 10).await.unwrap();
    assert_eq!(last.objects, [renamed]);
    assert_eq!(last.removed.iter().map(|r| r.object.id).collect::<Vec<_>>(), [far.id]);
    // The same after a replay, from nothing but the log.
    h.rebuild().await;
    assert_eq!(h.engine().directory_changes(rest.up_to, 10).await.unwrap(), last);
    // Once removals are forgotten, an old copy must begin anew.
    let later = h.engine().forget_removed(concord_base::Timestamp(i64::MAX)).await.unwrap();
    assert_eq!(later, 1);
    assert!(h.engine().directory_changes(all.up_to, 10).await.unwrap().begin_anew);
    assert!(!h.engine().directory_changes(last.up_to, 10).await.unwrap().begin_anew);
    assert!(h.engine().directory_changes(u64::MAX >> 1, 10).await.unwrap().begin_anew);
}

#[tokio::test]
async fn recipients_share_one_space_of_names_and_targets() {
    let h = Harness::new().await;
    add(&h, new_mailbox("jane")).await.unwrap();
    let taken = add(&h, contact("Jane", "GWISE:A.B.jane")).await;
    assert!(matches!(taken, Err(DirectoryError::NameTaken { kind: "mailbox", .. })), "{taken:?}");
    let first = add(&h, contact("jane2", "GWISE:A.B.jane")).await.unwrap();
    let taken = add(&h, contact("jane3", "gwise:a.b.JANE")).await;
    assert!(matches!(taken, Err(DirectoryError::AddressTaken { .. })), "{taken:?}");
    let found = h.engine().lookup(&address("GWISE:A.B.JANE")).await.unwrap();
    assert_eq!(found, Some(first));
}

#[tokio::test]
async fn what_a_connector_brought_is_there_once() {
    let h = Harness::new().await;
    let brought = |name: &str, target: &str, connector: &str| {
        let mut new = contact(name, target);
        new.policy.origin =
            Some(concord_directory::Origin { connector: connector.into(), key: "K".into() });
        new
    };
    add(&h, brought("a", "GWISE:A.B.a", "gw")).await.unwrap();
    let again = add(&h, brought("b", "GWISE:A.B.b", "gw")).await;
    assert!(matches!(again, Err(DirectoryError::Invalid { .. })), "{again:?}");
    add(&h, brought("c", "GWISE:A.B.c", "gw2")).await.unwrap();
}

#[tokio::test]
async fn containers_hold_and_are_held_to_their_places() {
    let mut h = Harness::new().await;
    let top = add(&h, plain("Sales", Details::Container)).await.unwrap();
    let mut below = plain("EMEA", Details::Container);
    below.policy.container = Some(top.id);
    let below = add(&h, below).await.unwrap();
    let mut jane = new_mailbox("jane");
    jane.policy.container = Some(below.id);
    let jane = add(&h, jane).await.unwrap();
    let used = h.engine().change(DirectoryAct::Remove(below.id)).await;
    assert!(matches!(used, Err(DirectoryError::InUse { .. })), "{used:?}");
    let mut looped = (*top).clone();
    looped.policy.container = Some(below.id);
    let refused = h.engine().change(DirectoryAct::Set(looped)).await;
    assert!(matches!(refused, Err(DirectoryError::Invalid { .. })), "{refused:?}");
    let mut moved = (*jane).clone();
    moved.policy.container = Some(jane.id);
    let refused = h.engine().change(DirectoryAct::Set(moved)).await;
    assert!(matches!(refused, Err(DirectoryError::Invalid { .. })), "{refused:?}");
    let tree = concord_directory::Tree::read(&**h.engine()).await.unwrap();
    assert!(tree.dn(&jane).starts_with("cn=jane,cn=EMEA,cn=Sales,cn=Recipients,"));
    h.rebuild().await;
    let again = concord_directory::Tree::read(&**h.engine()).await.unwrap();
    assert_eq!(again, tree);
}

#[tokio::test]
async fn who_is_removed_leaves_owners_delegates_and_restrictions() {
    let h = Harness::new().await;
    let boss = add(&h, new_mailbox("boss")).await.unwrap();
    let mut jane = new_mailbox("jane");
    jane.policy.delegates = vec![boss.id];
    jane.policy.accept_from = vec![boss.id];
    jane.policy.forward = Some(concord_directory::Forward { to: boss.id, keep: true });
    let jane = add(&h, jane).await.unwrap();
    h.engine().change(DirectoryAct::Remove(boss.id)).await.unwrap();
    let left = h.engine().object(jane.id).await.unwrap().unwrap();
    assert!(left.references().is_empty());
    assert!(left.usn > jane.usn);
}

#[tokio::test]
async fn what_a_connector_keeps_goes_with_it() {
    let mut h = Harness::new().await;
    let hook = add(&h, webhook(&["HOOK:*"])).await.unwrap();
    let engine = h.engine();
    engine.set_connector_state("webhook", "cursor", Some(vec![1, 0, 2])).await.unwrap();
    engine.set_connector_state("webhook", "other", Some(vec![3])).await.unwrap();
    engine.set_connector_state("webhook", "other", None).await.unwrap();
    h.rebuild().await;
    let kept = h.engine().connector_state("webhook", "cursor").await.unwrap();
    assert_eq!(kept, Some(vec![1, 0, 2]));
    assert_eq!(h.engine().connector_state("webhook", "other").await.unwrap(), None);
    h.engine().change(DirectoryAct::Remove(hook.id)).await.unwrap();
    assert_eq!(h.engine().connector_state("webhook", "cursor").await.unwrap(), None);
}

#[tokio::test]
async fn foreign_addresses_within_internet_ones_are_judged_by_themselves() {
    let h = Harness::new().await;
    add(&h, domain("example.test")).await.unwrap();
    let far = add(&h, contact("far", "GWISE:DOM.PO.far")).await.unwrap();
    let gateway = |spaces: &[&str]| {
        let new = webhook(spaces);
        Routes::new(&[Arc::new(Object::from_new(far.id, new, far.created))])
    };
    let wide = gateway(&["GWISE:*"]);
    let narrow = gateway(&["GWISE:DOM.*"]);
    let engine: &dyn Directory = &**h.engine();
    let judge = async |routes: &Routes, text: &str| {
        resolve(engine, routes, HOST, Some('+'), &address(text)).await.unwrap()
    };
    let other = address("GWISE:DOM.PO.other");
    for at in [HOST, "example.test"] {
        let known = format!("IMCEAGWISE-DOM+2EPO+2Efar@{at}");
        assert_eq!(judge(&wide, &known).await, Resolution::Recipient(Arc::clone(&far)));
        let unknown = format!("IMCEAGWISE-DOM+2EPO+2Eother@{at}");
        assert_eq!(judge(&narrow, &unknown).await, Resolution::Carried(other.clone()));
        // Who may send to every address of a type may send through its gateway
        // to anywhere: strangers may not.
        assert_eq!(judge(&wide, &unknown).await, Resolution::Elsewhere(other.clone()));
        let typed = format!("\"GWISE:DOM.PO.far\"@{at}");
        assert_eq!(judge(&wide, &typed).await, Resolution::Recipient(Arc::clone(&far)));
    }
    // Q264330: an encapsulated Internet address is that Internet address.
    let relay = judge(&wide, "IMCEASMTP-victim+40far+2Etest@example.test").await;
    assert_eq!(relay, Resolution::Elsewhere(address("victim@far.test")));
    let nested =
        judge(&wide, "IMCEASMTP-IMCEASMTP-a+2B40far+2Etest+40example+2Etest@example.test").await;
    assert_eq!(nested, Resolution::Unknown);
    let elsewhere = judge(&narrow, "IMCEAGWISE-DOM+2EPO+2Efar@far.test").await;
    assert_eq!(elsewhere, Resolution::Elsewhere(address("IMCEAGWISE-DOM+2EPO+2Efar@far.test")));
}

/// Whom mail to a recipient reaches, and whose list hears of failures.
async fn reached(h: &Harness, object: &Arc<Object>) -> Vec<(String, Option<String>)> {
    let all = expand(&**h.engine(), Arc::clone(object)).await.unwrap();
    let mut all: Vec<_> = all
        .into_iter()
        .map(|r| (r.object.name.clone(), r.reporting.map(|list| list.name.clone())))
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn forwarding_goes_on_comes_round_and_keeps() {
    let h = Harness::new().await;
    let forward = |to: &Arc<Object>, keep| Some(concord_directory::Forward { to: to.id, keep });
    let set = async |object: &Arc<Object>, forward| {
        let mut object = (**object).clone();
        object.policy.forward = forward;
        h.engine().change(DirectoryAct::Set(object)).await.unwrap()
    };
    let carol = add(&h, new_mailbox("carol")).await.unwrap();
    let bob = add(&h, new_mailbox("bob")).await.unwrap();
    let alice = add(&h, new_mailbox("alice")).await.unwrap();
    let bob = set(&bob, forward(&carol, true)).await;
    let alice = set(&alice, forward(&bob, false)).await;
    let names = |r: Vec<(String, Option<String>)>| r.into_iter().map(|r| r.0).collect::<Vec<_>>();
    assert_eq!(names(reached(&h, &alice).await), ["bob", "carol"]);
    // A member that forwards to another member: one copy.
    let both = add(&h, list("both", &[&alice, &bob, &carol])).await.unwrap();
    assert_eq!(names(reached(&h, &both).await), ["bob", "carol"]);
    // In a circle nobody's mail is lost.
    let bob = set(&bob, forward(&alice, false)).await;
    assert_eq!(names(reached(&h, &alice).await).len(), 1);
    assert_eq!(names(reached(&h, &bob).await).len(), 1);
}

#[tokio::test]
async fn the_innermost_list_with_an_owner_hears_of_failures() {
    let h = Harness::new().await;
    let alice = add(&h, new_mailbox("alice")).await.unwrap();
    let bob = add(&h, new_mailbox("bob")).await.unwrap();
    let mut owned = list("owned", &[&alice]);
    if let Details::List(list) = &mut owned.details {
        list.report_to = concord_directory::ReportTo::Owner;
        list.owners = vec![bob.id];
    }
    let owned = add(&h, owned).await.unwrap();
    let outer = add(&h, list("outer", &[&owned, &bob])).await.unwrap();
    assert_eq!(
        reached(&h, &outer).await,
        [("alice".into(), Some("owned".into())), ("bob".into(), None)]
    );
}

#[tokio::test]
async fn restrictions_look_at_who_is_proven_and_into_lists() {
    use concord_directory::{Refusal, Sender, accepts};
    let h = Harness::new().await;
    let alice = add(&h, new_mailbox("alice")).await.unwrap();
    let bob = add(&h, new_mailbox("bob")).await.unwrap();
    let inner = add(&h, list("inner", &[&alice])).await.unwrap();
    let staff = add(&h, list("staff", &[&inner])).await.unwrap();
    let mut boss = new_mailbox("boss");
    boss.policy.accept_from = vec![staff.id];
    boss.policy.receive_limit = Some(concord_base::ByteSize(100));
    let boss = add(&h, boss).await.unwrap();
    let ask = async |sender: &Arc<Object>, proven, octets| {
        let sender = Sender { object: Some(sender.id), proven };
        accepts(&**h.engine(), &boss, sender, octets).await.unwrap()
    };
    assert_eq!(ask(&alice, true, Some(100)).await, None);
    assert_eq!(ask(&alice, false, None).await, Some(Refusal::NotAccepted));
    assert_eq!(ask(&bob, true, None).await, Some(Refusal::NotAccepted));
    let large = ask(&alice, true, Some(101)).await;
    assert_eq!(large, Some(Refusal::TooLarge { limit: 100, octets: 101 }));
    let mut open = (*boss).clone();
    open.policy.accept_from.clear();
    open.policy.reject_from = vec![bob.id];
    open.policy.authenticated_only = true;
    let open = h.engine().change(DirectoryAct::Set(open)).await.unwrap();
    let ask = async |sender: &Arc<Object>, proven| {
        let sender = Sender { object: Some(sender.id), proven };
        accepts(&**h.engine(), &open, sender, None).await.unwrap()
    };
    assert_eq!(ask(&alice, true).await, None);
    assert_eq!(ask(&alice, false).await, Some(Refusal::NotProven));
    assert_eq!(ask(&bob, true).await, Some(Refusal::NotAccepted));
}

#[tokio::test]
async fn pages_come_by_name_and_end() {
    let h = Harness::new().await;
    for name in ["c", "A", "b"] {
        add(&h, new_mailbox(name)).await.unwrap();
    }
    let page = async |after: &str| {
        let page = h.engine().page(Kind::Mailbox, after, 2).await.unwrap();
        page.iter().map(|object| object.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(page("").await, ["A", "b"]);
    assert_eq!(page("b").await, ["c"]);
    assert!(page("c").await.is_empty());
}

/// What one gives up another may take, and if one cannot be, all stay as they
/// were.
#[tokio::test]
async fn objects_that_are_set_together_swap_what_is_theirs() {
    let harness = Harness::new().await;
    let engine = harness.engine();
    let set = async |objects: Vec<Object>| engine.change(DirectoryAct::SetTogether(objects)).await;
    let contact = |name: &str, target: &str| NewObject {
        proxies: vec![Proxy { address: address(&format!("{name}@example.test")), primary: true }],
        ..NewObject::new(name, Details::Contact(Contact { target: target.parse().unwrap() }))
    };
    let add = async |new| engine.change(DirectoryAct::Add(new)).await.unwrap();
    let a = Object::clone(&*add(contact("a", "GWISE:D.P.a")).await);
    let mut b = Object::clone(&*add(contact("b", "GWISE:D.P.b")).await);
    b.policy.accept_from = vec![a.id];
    engine.change(DirectoryAct::Set(b.clone())).await.unwrap();
    let swapped = |mut x: Object, y: &Object| {
        x.name.clone_from(&y.name);
        x.proxies.clone_from(&y.proxies);
        x.details.clone_from(&y.details);
        x
    };
    set(vec![swapped(a.clone(), &b), swapped(b.clone(), &a)]).await.unwrap();
    let by = async |text: &str| engine.lookup(&text.parse().unwrap()).await.unwrap().unwrap().id;
    assert_eq!((by("GWISE:D.P.a").await, by("a@example.test").await), (b.id, b.id));
    assert_eq!((by("GWISE:D.P.b").await, by("b@example.test").await), (a.id, a.id));
    // One of them cannot have what it wants.
    add(contact("c", "GWISE:D.P.c")).await;
    let mut wrong = b.clone();
    wrong.proxies[0].address = address("c@example.test");
    let refused = set(vec![a.clone(), wrong.clone()]).await;
    assert!(matches!(refused, Err(DirectoryError::AddressTaken { .. })), "{refused:?}");
    assert_eq!((by("GWISE:D.P.a").await, by("a@example.test").await), (b.id, b.id));
    assert_eq!(engine.find(Kind::Contact, "a").await.unwrap().unwrap().id, b.id);
    assert!(set(vec![]).await.is_err());
    set(vec![a.clone(), a.clone(), b]).await.unwrap();
    assert_eq!(by("GWISE:D.P.a").await, a.id);
}

/// Q230665: a list as the owner of a list did nothing.
#[tokio::test]
async fn only_a_mailbox_owns_a_list() {
    let h = Harness::new().await;
    let alice = add(&h, new_mailbox("alice")).await.unwrap();
    let staff = add(&h, list("staff", &[&alice])).await.unwrap();
    let owned_by = |owner: &Arc<Object>| {
        let mut new = list("news", &[&alice]);
        if let Details::List(list) = &mut new.details {
            list.owners = vec![owner.id];
        }
        new
    };
    let refused = add(&h, owned_by(&staff)).await;
    assert!(matches!(refused, Err(DirectoryError::Invalid { .. })), "{refused:?}");
    add(&h, owned_by(&alice)).await.unwrap();
}
