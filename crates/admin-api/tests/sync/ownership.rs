//! Whose an object is, and who may touch it.

use crate::machine::{Machine, contact};
use concord_directory::{Directory, DirectoryAct};
use serde_json::{Value, json};

/// Q247182: a full reload deleted what another connector had brought.
#[tokio::test]
async fn two_connectors_never_touch_each_others_objects() {
    let (mut machine, one) = Machine::with_groupwise().await;
    let two = machine.connector("gw2", json!({ "foreign-domain": "OTHER" })).await;
    for n in 0..40 {
        one.user(&format!("a{n}"), &[]);
        two.user_at("ACME", "PO", &format!("b{n}"), &[]);
    }
    // What both have.
    one.user_at("BOTH", "PO", "x", &[]);
    two.user_at("BOTH", "PO", "x", &[]);
    assert_eq!(machine.import("gw").await.added, 41);
    let counts = machine.import("gw2").await;
    assert_eq!((counts.added, counts.collisions), (40, 1), "{counts:?}");
    one.state().users.clear();
    let approved = json!({ "import": true, "approve": true, "full": true });
    assert_eq!(machine.sync("gw", approved).await.import.unwrap().deleted, 41);
    assert_eq!(machine.contacts().await.len(), 40);
    // The address is free now.
    assert_eq!(machine.import("gw2").await.added, 1);
    // Neither exports the other's, unless it is to.
    let run = machine.sync("gw", json!({ "export": true, "full": true })).await;
    assert_eq!(run.export.unwrap().added, 0);
}

/// Q192911, C50, T52: recipients of one system appear in the other, under an
/// address of ours, and a reply finds its way back.
#[tokio::test]
async fn what_one_connector_brings_another_takes_on_where_it_is_to() {
    let (mut machine, one) = Machine::with_groupwise().await;
    let two = machine.connector("gw2", json!({ "export-relay": "gw" })).await;
    machine.mailboxes(3).await;
    one.user("jane", &[("first-name", "Jane"), ("last-name", "Doe")]);
    two.user_at("ACME", "PO", "bob", &[]);
    machine.sync("gw", json!({})).await;
    machine.sync("gw2", json!({})).await;
    let jane = two.exported("EXCHANGE.FIRST.jane").unwrap();
    assert_eq!((jane["first-name"][0].as_str(), jane["last-name"][0].as_str()), ("Jane", "Doe"));
    assert_eq!((one.state().exported.len(), two.state().exported.len()), (3, 4));
    let reply = "GWISE:EXCHANGE.FIRST.jane".parse().unwrap();
    let found = machine.engine().lookup(&reply).await.unwrap().unwrap();
    assert_eq!(found.target().unwrap().to_string(), "GWISE:CORP.PO.jane");
    // Back to where it came from it never goes, whatever is asked.
    machine.set("gw", json!({ "export-relay": "*", "export-contacts": true })).await;
    machine.sync("gw", json!({})).await;
    assert!(one.exported("EXCHANGE.FIRST.jane").is_none());
    // It goes there when it goes here.
    one.state().users.clear();
    machine.sync("gw", json!({ "import": true, "approve": true })).await;
    assert_eq!(machine.export("gw2").await.deleted, 1);
    assert!(two.exported("EXCHANGE.FIRST.jane").is_none());
}

/// Q238992, Q238447: an event for each collision, in each cycle.
#[tokio::test]
async fn collisions_are_told_once_with_both_names_and_can_be_adopted() {
    let (machine, foreign) = Machine::with_groupwise().await;
    for name in ["jane", "bob"] {
        machine.change(DirectoryAct::Add(contact(name, &format!("GWISE:CORP.PO.{name}")))).await;
        foreign.user(name, &[("last-name", "Doe"), ("title", "Clerk")]);
    }
    let before = machine.contact("jane").await;
    let counts = machine.import("gw").await;
    assert_eq!((counts.collisions, counts.new_collisions, counts.added), (2, 2, 0));
    assert!(counts.collided[1].text.contains("jane"), "{counts:?}");
    assert!(counts.collided[1].text.contains("could be adopted"), "{counts:?}");
    assert_eq!(machine.notices("gw").await, ["sync.collisions"]);
    machine.must("DELETE", "/v1/connectors/gw/notices", &Value::Null).await;
    let counts = machine.import("gw").await;
    assert_eq!((counts.collisions, counts.new_collisions), (2, 0));
    assert_eq!(machine.notices("gw").await, [""; 0], "the second run is silent");
    assert_eq!(*machine.contact("jane").await, *before);
    let run = machine.sync("gw", json!({ "import": true, "adopt": true })).await;
    assert_eq!(run.import.unwrap().adopted, 2);
    let jane = machine.contact("jane").await;
    assert_eq!(jane.id, before.id);
    assert_eq!(jane.policy.origin.as_ref().unwrap().key, "CORP.PO.jane");
    assert_eq!(jane.attributes.first("title"), Some("Clerk"));
    assert_eq!(machine.import("gw").await.changes(), 0);
}

/// What administrators change on an imported contact stays, where no rule writes
/// it.
#[tokio::test]
async fn what_no_rule_writes_stays_as_somebody_set_it() {
    let (machine, foreign) = Machine::with_groupwise().await;
    foreign.user("jane", &[("title", "Clerk")]);
    machine.import("gw").await;
    let patch = json!({
        "hidden": true, "attributes": { "info": ["VIP"], "title": ["Queen"] },
        "add_addresses": ["queen@example.test"],
    });
    machine.must("PATCH", "/v1/contacts/jane", &patch).await;
    assert_eq!(machine.import("gw").await.modified, 1);
    let jane = machine.contact("jane").await;
    assert_eq!(jane.attributes.first("title"), Some("Clerk"), "a rule writes it");
    assert_eq!((jane.attributes.first("info"), jane.policy.hidden), (Some("VIP"), true));
    assert_eq!(jane.proxies.len(), 2);
    assert_eq!(machine.import("gw").await.changes(), 0);
}
