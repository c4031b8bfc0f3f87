//! What keeps a run from doing harm.

use crate::machine::Machine;
use serde_json::json;

/// Q222186, T41: an answer that broke off deleted everybody.
#[tokio::test]
async fn a_listing_that_breaks_off_deletes_nobody_and_leaves_a_notice() {
    let (machine, foreign) = Machine::with_groupwise().await;
    foreign.users(3_000);
    machine.import("gw").await;
    foreign.state().breaks_after = Some(1_500);
    foreign.user("aaa", &[]);
    let run = machine.sync("gw", json!({ "import": true, "approve": true })).await;
    let counts = run.import.unwrap();
    assert_eq!((counts.added, counts.deleted, counts.withheld), (1, 0, 1_501), "{counts:?}");
    let notices = machine.notices("gw").await;
    for code in ["sync.deletions-withheld", "sync.listing-incomplete"] {
        assert!(notices.contains(&code.to_owned()), "{notices:?}");
    }
    foreign.state().breaks_after = None;
    foreign.state().announces = Some(9_999);
    foreign.state().users.remove("CORP.PO.user00000");
    let counts = machine.import("gw").await;
    assert_eq!((counts.deleted, counts.withheld), (0, 1), "{counts:?}");
    assert_eq!(machine.contacts().await.len(), 3_001);
}

/// C37: 0 of 5,000 entries came.
#[tokio::test]
async fn an_empty_listing_is_withheld_until_somebody_approves_it() {
    let (machine, foreign) = Machine::with_groupwise().await;
    foreign.users(5_000);
    machine.import("gw").await;
    foreign.state().users.clear();
    let position = machine.position().await;
    let counts = machine.import("gw").await;
    assert_eq!((counts.deleted, counts.withheld), (0, 5_000));
    assert!(counts.withheld_because.unwrap().contains("the listing is empty"));
    assert_eq!(machine.notices("gw").await, ["sync.deletions-withheld"]);
    assert_eq!(machine.position().await, position);
    let run = machine.sync("gw", json!({ "import": true, "approve": true })).await;
    assert_eq!(run.import.unwrap().deleted, 5_000);
    assert_eq!(machine.contacts().await.len(), 0);
}

#[tokio::test]
async fn deletions_of_an_export_are_withheld_and_made_once_they_are_approved() {
    let (machine, foreign) = Machine::with_groupwise().await;
    machine.mailboxes(100).await;
    machine.export("gw").await;
    machine.set("gw", json!({ "export-filter": "NOBODY = mailnickname, EQ, nobody" })).await;
    let counts = machine.export("gw").await;
    assert_eq!((counts.deleted, counts.withheld), (0, 100), "{counts:?}");
    // An incremental run does not forget them.
    let counts = machine.export("gw").await;
    assert_eq!((counts.deleted, counts.withheld), (0, 100), "{counts:?}");
    let run = machine.sync("gw", json!({ "export": true, "approve": true })).await;
    assert_eq!(run.export.unwrap().deleted, 100);
    assert!(foreign.state().exported.is_empty());
}

/// Q274786: one entry that could not be written took the others with it, or was
/// deleted.
#[tokio::test]
async fn one_entry_that_fails_lets_the_others_go_on_and_is_tried_again() {
    let (machine, foreign) = Machine::with_groupwise().await;
    machine.mailboxes(20).await;
    let name = "Display of person00007".to_owned();
    foreign.state().refuses.insert(name.clone());
    let counts = machine.export("gw").await;
    assert_eq!((counts.added, counts.failed), (19, 1), "{counts:?}");
    assert_eq!(counts.failures[0].name, name);
    assert!(counts.failures[0].text.contains("the post office is closed"));
    foreign.take_changes();
    // Nothing changed here; only the one that failed is tried again.
    let counts = machine.export("gw").await;
    assert_eq!((counts.changes(), counts.failed), (0, 1));
    foreign.state().refuses.clear();
    assert_eq!(machine.export("gw").await.added, 1);
    assert_eq!(machine.export("gw").await.changes(), 0);
    // A deletion that fails is tried again as well.
    foreign.state().refuses.insert("EXCHANGE.FIRST.person00003".to_owned());
    machine.must("DELETE", "/v1/mailboxes/person00003", &serde_json::Value::Null).await;
    assert_eq!(machine.export("gw").await.failed, 1);
    foreign.state().refuses.clear();
    assert_eq!(machine.export("gw").await.deleted, 1);
}

/// An import's entry that cannot be written.
#[tokio::test]
async fn an_entry_that_cannot_be_taken_in_is_told_with_the_cause() {
    let (machine, foreign) = Machine::with_groupwise().await;
    foreign.users(10);
    foreign.user_at("", "PO", "lost", &[]);
    let counts = machine.import("gw").await;
    assert_eq!((counts.added, counts.left_out), (10, 1), "{counts:?}");
    assert_eq!(counts.reasons[0].0, "it has no domain");
}

/// Q195510: one undefined tag stopped everything, mail too.
#[tokio::test]
async fn rules_with_mistakes_are_refused_with_all_of_them_while_old_objects_stay() {
    let (machine, foreign) = Machine::with_groupwise().await;
    foreign.users(30);
    machine.import("gw").await;
    let position = machine.position().await;
    let rules = "PHONE = FONE\nTITLE = LFT(TITLE, 3)\nFAX = \"open";
    machine
        .set(
            "gw",
            json!({ "import-rules": rules, "export-trust": "high", "import-container": "x" }),
        )
        .await;
    let before = machine.position().await;
    let (status, error) = machine.call("POST", "/v1/connectors/gw/sync", &json!({})).await;
    let message = error["error"]["message"].as_str().unwrap();
    assert_eq!((status, error["error"]["code"].as_str()), (422, Some("sync.settings")), "{error}");
    for part in ["import-rules: line", "LFT", "export-trust", "there is no container 'x'"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!(foreign.state().runs, 1, "the foreign side is not asked");
    assert_eq!(machine.position().await, before);
    assert_eq!(machine.contacts().await.len(), 30);
    assert!(before > position, "the settings are the only change");
    let repaired = json!({ "import-rules": null, "export-trust": null, "import-container": null });
    machine.set("gw", repaired).await;
    assert_eq!(machine.import("gw").await.changes(), 0);
}

#[tokio::test]
async fn a_dry_run_shows_everything_and_changes_nothing() {
    let (machine, foreign) = Machine::with_groupwise().await;
    foreign.user("jane", &[("first-name", "Jane"), ("last-name", "Doe")]);
    machine.mailboxes(2).await;
    let position = machine.position().await;
    let run = machine.sync("gw", json!({ "dry_run": true })).await;
    let (import, export) = (run.import.unwrap(), run.export.unwrap());
    assert_eq!((import.added, export.added), (1, 2));
    let plans = machine.plans("gw").await;
    assert!(plans.import_text.unwrap().contains("+ Jane Doe (CORP.PO.jane)"));
    assert!(plans.export_text.unwrap().contains("+ Display of person00001"));
    assert_eq!(plans.export.unwrap().additions.len(), 2);
    assert_eq!(machine.position().await, position);
    assert!(foreign.state().exported.is_empty() && foreign.take_changes().is_empty());
    let run = machine.sync("gw", json!({})).await;
    assert_eq!((run.import.unwrap().added, run.export.unwrap().added), (1, 2));
}
