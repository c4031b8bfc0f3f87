//! What changes on one side changes on the other, and nothing else does.

use crate::foreign::attributes;
use crate::machine::{Machine, mailbox};
use concord_connector::wire::ChangeAct;
use concord_directory::{DirectoryAct, Object};
use serde_json::{Value, json};

/// Q250450, Q251049: every cycle wrote every entry.
#[tokio::test]
async fn ten_thousand_go_each_way_once_and_the_second_run_writes_nothing() {
    let (machine, foreign) = Machine::with_groupwise().await;
    foreign.users(10_000);
    machine.mailboxes(10_000).await;
    let run = machine.sync("gw", json!({})).await;
    let (import, export) = (run.import.unwrap(), run.export.unwrap());
    assert_eq!((import.added, import.failed), (10_000, 0), "{import:?}");
    assert_eq!((export.added, export.failed), (10_000, 0), "{:?}", export.failures);
    assert_eq!(machine.contacts().await.len(), 10_000);
    assert_eq!(foreign.state().exported.len(), 10_000);
    assert_eq!(foreign.take_changes().len(), 10_000);
    let position = machine.position().await;
    for options in [json!({}), json!({ "full": true })] {
        let run = machine.sync("gw", options).await;
        let (import, export) = (run.import.unwrap(), run.export.unwrap());
        assert_eq!((import.changes(), import.unchanged), (0, 10_000));
        assert_eq!(export.changes(), 0);
        assert_eq!(foreign.take_changes(), []);
        assert_eq!(machine.position().await, position, "nothing is written");
    }
}

#[tokio::test]
async fn a_contact_gets_addresses_so_that_everybody_can_write_to_it() {
    let (machine, foreign) = Machine::with_groupwise().await;
    machine.change(DirectoryAct::Add(mailbox("jane"))).await;
    let other = json!({ "name": "NOTES", "component": "notes", "rule": "%d/First@EXCHANGE" });
    machine.must("POST", "/v1/generators", &other).await;
    let sales = json!({ "name": "Sales" });
    let sales = machine.must("POST", "/v1/containers", &sales).await["id"].as_u64();
    machine.set("gw", json!({ "import-container": "sales" })).await;
    foreign.user("jane", &[("first-name", "Jane"), ("last-name", "Doe")]);
    foreign.user("bob", &[("smtp-alias", "bob@gw.example"), ("title", "Clerk")]);
    machine.import("gw").await;
    let addresses = |object: &Object| -> Vec<String> {
        object.proxies.iter().map(|proxy| proxy.address.to_string()).collect()
    };
    // The mailbox has the alias and the Internet address already.
    let jane = machine.contact("jane-2").await;
    assert_eq!(addresses(&jane), ["NOTES:Jane Doe/First@EXCHANGE", "SMTP:jane-2@example.test"]);
    assert_eq!(jane.policy.container.map(|id| id.0), sales);
    let origin = jane.policy.origin.as_ref().unwrap();
    assert_eq!((origin.connector.as_str(), origin.key.as_str()), ("gw", "CORP.PO.jane"));
    assert_eq!(jane.target().unwrap().to_string(), "GWISE:CORP.PO.jane");
    let bob = machine.contact("bob").await;
    assert_eq!(addresses(&bob), ["SMTP:bob@gw.example", "NOTES:bob/First@EXCHANGE"]);
    assert_eq!(bob.attributes.first("title"), Some("Clerk"));
}

/// Q193535: changes of case, filled fields and appended text were not seen.
#[tokio::test]
async fn every_kind_of_edit_on_the_foreign_side_moves_that_entry_alone() {
    let (machine, foreign) = Machine::with_groupwise().await;
    foreign.users(200);
    machine.import("gw").await;
    let with = |n: usize, change: &[(&str, &str)]| {
        let mut state = foreign.state();
        let user = state.users.get_mut(&format!("CORP.PO.user{n:05}")).unwrap();
        for (name, value) in change {
            user.insert((*name).to_owned(), vec![(*value).to_owned()]);
            user.retain(|_, values| !values[0].is_empty());
        }
    };
    let edits: [&[(&str, &str)]; 10] = [
        &[("first-name", "JANE")],            // case only
        &[("last-name", "User 1 the Great")], // appended
        &[("title", "Clerk")],                // filled
        &[("phone", "")],                     // cleared
        &[("first-name", "Janet"), ("last-name", "Roe")],
        &[("department", "Sales"), ("fax", "2")],
        &[("first-name", "")],
        &[("phone", "1 ")], // the directory keeps no blank at an end
        &[("last-name", "Müller 😀")],
        &[("smtp-alias", "given@example.test")],
    ];
    for (n, edit) in edits.iter().enumerate() {
        with(n, edit);
        let position = machine.position().await;
        let counts = machine.import("gw").await;
        let nothing = n == 7;
        assert_eq!(counts.changes(), u64::from(!nothing), "{edit:?}: {counts:?}");
        assert_eq!(counts.failed, 0, "{edit:?}: {counts:?}");
        let changed = machine.engine();
        let changed = concord_directory::Directory::directory_changes(&**changed, position, 100);
        let changed = changed.await.unwrap().objects;
        let expected = if nothing { vec![] } else { vec![format!("user{n:05}")] };
        assert_eq!(changed.iter().map(|o| o.name.clone()).collect::<Vec<_>>(), expected);
    }
    assert_eq!(machine.contact("user00000").await.display_name, "JANE User 0");
    assert_eq!(machine.contact("user00003").await.attributes.first("telephoneNumber"), None);
    // A user who moves to another post office is a new entry there; its alias and
    // its addresses are free again in the same run.
    foreign.state().users.remove("CORP.PO.user00020");
    foreign.user_at("CORP", "PO2", "user00020", &[]);
    foreign.state().users.remove("CORP.PO.user00021");
    foreign.user("zoe", &[]);
    let counts = machine.import("gw").await;
    assert_eq!((counts.added, counts.deleted, counts.modified), (2, 2, 0), "{counts:?}");
    let moved = machine.contact("user00020").await;
    assert_eq!(moved.target().unwrap().to_string(), "GWISE:CORP.PO2.user00020");
}

/// Q179996, Q241086: hiding did not delete, and showing again stopped the cycle.
#[tokio::test]
async fn every_kind_of_edit_here_moves_that_entry_alone() {
    let (machine, foreign) = Machine::with_groupwise().await;
    machine.mailboxes(200).await;
    machine.export("gw").await;
    foreign.take_changes();
    let a = "EXCHANGE.FIRST.person00001";
    let edits: Vec<(Value, ChangeAct)> = vec![
        (json!({ "display_name": "DISPLAY OF PERSON00001" }), ChangeAct::Modify),
        (json!({ "display_name": "DISPLAY OF PERSON00001 the Great" }), ChangeAct::Modify),
        (json!({ "attributes": { "title": ["Clerk"] } }), ChangeAct::Modify),
        (json!({ "attributes": { "title": [] } }), ChangeAct::Modify),
        (json!({ "attributes": { "givenName": ["Jane"], "sn": ["Doe"] } }), ChangeAct::Modify),
        (json!({ "hidden": true }), ChangeAct::Delete),
        (json!({ "hidden": false, "attributes": { "title": ["Boss"] } }), ChangeAct::Add),
        (json!({ "trust": 100 }), ChangeAct::Delete),
        (json!({ "trust": 20 }), ChangeAct::Add),
        (json!({ "remove_addresses": [format!("GWISE:{a}")] }), ChangeAct::Delete),
        (json!({ "add_addresses": [format!("GWISE:{a}")] }), ChangeAct::Add),
        (json!({ "primary_addresses": ["GWISE:EXCHANGE.SECOND.jane"] }), ChangeAct::Modify),
    ];
    for (patch, act) in edits {
        machine.edit("person00001", patch.clone()).await;
        let counts = machine.export("gw").await;
        assert_eq!((counts.changes(), counts.failed), (1, 0), "{patch}: {counts:?}");
        let changes = foreign.take_changes();
        assert_eq!((changes.len(), changes[0].act), (1, act), "{patch}: {changes:?}");
    }
    assert_eq!(foreign.exported("EXCHANGE.SECOND.jane").unwrap()["last-name"], ["Doe"]);
    assert_eq!(foreign.exported(a), None);
    machine.change(DirectoryAct::Add(mailbox("zoe"))).await;
    machine.must("DELETE", "/v1/mailboxes/person00002", &Value::Null).await;
    // What has nothing to do with the other side.
    machine.edit("person00003", json!({ "quota": 1_000_000 })).await;
    let counts = machine.export("gw").await;
    assert_eq!((counts.added, counts.deleted, counts.modified), (1, 1, 0), "{counts:?}");
    assert_eq!(foreign.exported("EXCHANGE.FIRST.person00002"), None);
    assert!(foreign.exported("EXCHANGE.FIRST.zoe").is_some());
}

/// Q222186, C38: answers in another order made other changes.
#[tokio::test]
async fn the_order_of_the_listings_does_not_matter() {
    let (machine, foreign) = Machine::with_groupwise().await;
    foreign.users(2_500);
    machine.mailboxes(1_200).await;
    machine.sync("gw", json!({})).await;
    foreign.state().backwards = true;
    let run = machine.sync("gw", json!({ "full": true })).await;
    assert_eq!((run.import.unwrap().changes(), run.export.unwrap().changes()), (0, 0));
}

#[tokio::test]
async fn names_and_addresses_are_swapped_in_one_run() {
    let (machine, foreign) = Machine::with_groupwise().await;
    machine.set("gw", json!({ "import-rules": "ALIAS = TITLE" })).await;
    let say = |object: &str, alias: &str| {
        let smtp = format!("{alias}@gw.example");
        foreign.user(object, &[("title", alias), ("smtp-alias", &smtp)]);
    };
    for (object, alias) in [("a", "one"), ("b", "two"), ("c", "three"), ("d", "four")] {
        say(object, alias);
    }
    machine.import("gw").await;
    // A circle of three, and one who takes over what nobody has any more.
    for (object, alias) in [("a", "two"), ("b", "three"), ("c", "one"), ("d", "five")] {
        say(object, alias);
    }
    let counts = machine.import("gw").await;
    assert_eq!((counts.modified, counts.failed, counts.collisions), (4, 0, 0), "{counts:?}");
    for (alias, object) in [("two", "a"), ("three", "b"), ("one", "c"), ("five", "d")] {
        let contact = machine.contact(alias).await;
        assert_eq!(contact.target().unwrap().value(), format!("CORP.PO.{object}"));
        let smtp = contact.primary_smtp().unwrap().to_string();
        assert_eq!(smtp, format!("{alias}@gw.example"));
    }
    assert_eq!(machine.import("gw").await.changes(), 0);
}

/// Q174697: a foreign directory that was put in place of the one before got
/// changes of entries that it did not have.
#[tokio::test]
async fn a_foreign_directory_that_was_replaced_gets_everything_anew() {
    let (machine, foreign) = Machine::with_groupwise().await;
    machine.mailboxes(50).await;
    machine.export("gw").await;
    foreign.state().exported.clear();
    let counts = machine.sync("gw", json!({ "export": true, "full": true })).await.export.unwrap();
    assert_eq!((counts.added, counts.failed, counts.replaced), (50, 0, true));
    // Without being told, an incremental run adds what it finds missing.
    foreign.state().exported.clear();
    machine.edit("person00007", json!({ "attributes": { "title": ["Clerk"] } })).await;
    let counts = machine.export("gw").await;
    assert_eq!((counts.added, counts.failed), (1, 0), "{counts:?}");
    let expected = attributes(&[("title", "Clerk")]);
    let seen = foreign.exported("EXCHANGE.FIRST.person00007").unwrap();
    assert_eq!(seen["title"], expected["title"]);
}
