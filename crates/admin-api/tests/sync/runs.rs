//! Runs: one at a time, kept, given up, and finished by the next one.

use crate::foreign::attributes;
use crate::machine::Machine;
use concord_admin_api::wire::SyncState;
use concord_connector::ApiError;
use concord_connector::wire::{ForeignUpdates, ListingEnd, ListingPart, MAX_ENTRIES_IN_PART};
use concord_dirsync::{ForeignEntry, ForeignKey, ListingKind};
use serde_json::json;
use std::time::Duration;

/// Q199176, C47: the second press queued a second run.
#[tokio::test]
async fn three_requests_are_one_run_and_each_is_answered_at_once() {
    let (machine, foreign) = Machine::with_groupwise().await;
    foreign.users(100);
    foreign.state().delay = Duration::from_millis(400);
    let asked = std::time::Instant::now();
    let first = machine.begin("gw", json!({ "import": true })).await;
    let second = machine.begin("gw", json!({ "import": true, "full": true })).await;
    let third = machine.begin("gw", json!({})).await;
    assert!(asked.elapsed() < Duration::from_millis(400));
    assert_eq!((first.joined, second.joined, third.joined), (false, true, true));
    assert_eq!((first.run.id, second.run.id), (third.run.id, third.run.id));
    assert!(machine.status("gw").await.current.is_some());
    let run = machine.end("gw", first.run.id).await;
    assert_eq!((run.import.unwrap().added, run.state), (100, SyncState::Done));
    assert_eq!(foreign.state().runs, 1);
    let next = machine.sync("gw", json!({ "import": true })).await;
    assert_eq!(next.id, first.run.id + 1);
}

#[tokio::test]
async fn the_last_ten_runs_are_kept() {
    let (machine, foreign) = Machine::with_groupwise().await;
    for n in 0..12 {
        foreign.user(&format!("u{n}"), &[]);
        machine.import("gw").await;
    }
    let runs = machine.status("gw").await.runs;
    assert_eq!(
        runs.iter().map(|run| run.id).collect::<Vec<_>>(),
        (3..=12).rev().collect::<Vec<_>>()
    );
    assert!(runs.iter().all(|run| run.import.as_ref().unwrap().added == 1));
    assert!(runs[0].ended.is_some() && runs[0].asked_by == "administrator");
}

#[tokio::test]
async fn a_run_whose_connector_is_silent_is_given_up_and_the_next_one_works() {
    let (machine, foreign) = Machine::with_groupwise().await;
    machine.server().set_patience(Duration::from_millis(300));
    foreign.users(10);
    foreign.state().hangs = true;
    let run = machine.run("gw", json!({})).await;
    assert_eq!((run.state, run.failure.unwrap().code.as_str()), (SyncState::Failed, "sync.silent"));
    let api = machine.api("gw");
    assert!(matches!(api.sync_step(99, 0).await, Err(ApiError::NotFound(_))));
}

#[tokio::test]
async fn a_connector_that_cannot_go_on_ends_the_run_with_its_words() {
    let (machine, foreign) = Machine::with_groupwise().await;
    foreign.state().fails = Some("API_OUT cannot be read".to_owned());
    let run = machine.run("gw", json!({})).await;
    let failure = run.failure.unwrap();
    assert_eq!(failure.code, "sync.connector");
    assert!(failure.message.contains("API_OUT cannot be read"), "{}", failure.message);
    foreign.state().fails = None;
    foreign.users(10);
    assert_eq!(machine.import("gw").await.added, 10);
}

/// C49: what broke off in the middle is finished by the next run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_core_that_is_killed_in_the_middle_loses_nothing_and_the_next_run_ends_the_work() {
    let (mut machine, foreign) = Machine::with_groupwise().await;
    foreign.users(4_000);
    machine.mailboxes(500).await;
    let begun = machine.begin("gw", json!({})).await;
    let until = std::time::Instant::now() + Duration::from_secs(60);
    let mut added = 0;
    while added < 500 && std::time::Instant::now() < until {
        let current = machine.status("gw").await.current;
        added = current.and_then(|run| run.import).map_or(0, |counts| counts.added);
        tokio::task::yield_now().await;
    }
    machine.kill();
    machine.start().await;
    let there = machine.contacts().await.len();
    assert!((500..4_000).contains(&there), "{there}");
    let seen = machine.status("gw").await.runs.remove(0);
    assert_eq!((seen.id, seen.state), (begun.run.id, SyncState::Failed));
    assert_eq!(seen.failure.unwrap().code, "sync.stopped");
    let run = machine.sync("gw", json!({})).await;
    let (import, export) = (run.import.unwrap(), run.export.unwrap());
    assert_eq!((import.unchanged, import.added), (there as u64, (4_000 - there) as u64));
    assert_eq!(export.added, 500);
    assert_eq!(machine.contacts().await.len(), 4_000);
    let position = machine.position().await;
    let run = machine.sync("gw", json!({ "full": true })).await;
    assert_eq!((run.import.unwrap().changes(), run.export.unwrap().changes()), (0, 0));
    assert_eq!(machine.position().await, position);
}

/// The core dies while the other side is being changed: what it has is found there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_that_is_cut_off_is_ended_without_doing_anything_twice() {
    let (mut machine, foreign) = Machine::with_groupwise().await;
    machine.mailboxes(3_000).await;
    machine.begin("gw", json!({ "export": true })).await;
    let until = std::time::Instant::now() + Duration::from_secs(60);
    while foreign.state().exported.len() < 600 && std::time::Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    machine.kill();
    machine.start().await;
    let counts = machine.export("gw").await;
    assert_eq!(counts.failed, 0, "{:?}", counts.failures);
    assert!(counts.unchanged >= 600, "{counts:?}");
    assert_eq!(foreign.state().exported.len(), 3_000);
}

/// Q229821, T47: what the other side told unasked stopped the cycle for an hour.
#[tokio::test]
async fn updates_that_nobody_asked_for_are_taken_in_and_who_is_not_named_stays() {
    let (machine, foreign) = Machine::with_groupwise().await;
    foreign.users(20);
    machine.import("gw").await;
    let entry = |object: &str, title: &str| {
        let pairs =
            [("domain", "CORP"), ("post-office", "PO"), ("object", object), ("title", title)];
        ForeignEntry::person(&format!("CORP.PO.{object}"), attributes(&pairs))
    };
    let updates = ForeignUpdates {
        entries: vec![entry("user00001", "Boss"), entry("zoe", "Clerk")],
        gone: vec![ForeignKey("CORP.PO.user00002".into()), ForeignKey("CORP.PO.nobody".into())],
    };
    let api = machine.api("gw");
    let done = api.foreign_updates(&updates).await.unwrap();
    assert_eq!((done.changed, done.failed), (3, 0));
    assert_eq!(machine.contacts().await.len(), 20);
    assert_eq!(machine.contact("user00001").await.attributes.first("title"), Some("Boss"));
    let run = machine.status("gw").await.runs.remove(0);
    assert_eq!((run.id, run.asked_by.as_str()), (done.run, "foreign-side"));
    // While another run is under way they wait.
    foreign.state().delay = Duration::from_millis(200);
    let begun = machine.begin("gw", json!({ "import": true })).await;
    let refused = api.foreign_updates(&updates).await;
    assert!(matches!(refused, Err(ApiError::Refused { status: 409, .. })), "{refused:?}");
    machine.end("gw", begun.run.id).await;
    let many = (0..=MAX_ENTRIES_IN_PART).map(|n| ForeignKey(n.to_string())).collect();
    let refused = api.foreign_updates(&ForeignUpdates { entries: vec![], gone: many }).await;
    assert!(matches!(refused, Err(ApiError::Refused { status: 413, .. })), "{refused:?}");
}

/// A part whose answer was lost is sent again; what nobody asked for is refused.
#[tokio::test]
async fn parts_that_come_twice_count_once_and_nothing_is_taken_out_of_turn() {
    let mut machine = Machine::new().await;
    let new = json!({ "name": "gw", "component": "groupwise" });
    machine.must("POST", "/v1/connectors", &new).await;
    let api = machine.api("gw");
    let run = machine.begin("gw", json!({ "import": true })).await.run.id;
    assert!(api.work(5).await.unwrap().is_some());
    let entry = |object: &str| {
        let pairs = [("domain", "CORP"), ("post-office", "PO"), ("object", object)];
        ForeignEntry::person(object, attributes(&pairs))
    };
    let post = async |path: &str, body: &serde_json::Value| -> Result<(), ApiError> {
        api.send(hyper::Method::POST, &api.own(&format!("/sync/{run}/{path}")), body).await
    };
    let early = post("present/end", &json!({ "complete": true })).await;
    assert!(matches!(early, Err(ApiError::Refused { status: 409, .. })), "{early:?}");
    for (part, object) in [(1, "a"), (1, "a"), (2, "b"), (1, "a")] {
        let part = ListingPart { part, entries: vec![entry(object)], gone: vec![] };
        post("listing", &serde_json::to_value(part).unwrap()).await.unwrap();
    }
    let end = ListingEnd { kind: ListingKind::Full, complete: true, announced: Some(2) };
    post("listing/end", &serde_json::to_value(end).unwrap()).await.unwrap();
    let run = machine.end("gw", run).await;
    assert_eq!(run.import.unwrap().listed, 2);
    machine.kill();
}

#[tokio::test]
async fn a_direction_that_is_off_is_left_out_and_a_package_without_tables_is_refused() {
    let (machine, foreign) = Machine::with_groupwise().await;
    machine.set("gw", json!({ "synchronise": "import" })).await;
    foreign.user("jane", &[]);
    machine.mailboxes(2).await;
    let run = machine.sync("gw", json!({})).await;
    assert_eq!((run.import.unwrap().added, run.export), (1, None));
    assert!(foreign.state().exported.is_empty());
    let other = json!({ "name": "hook", "component": "webhook" });
    machine.must("POST", "/v1/connectors", &other).await;
    let (status, error) = machine.call("POST", "/v1/connectors/hook/sync", &json!({})).await;
    assert_eq!((status, error["error"]["code"].as_str()), (422, Some("sync.no-tables")));
    let (status, _) = machine.call("POST", "/v1/connectors/nobody/sync", &json!({})).await;
    assert_eq!(status, 404);
}
