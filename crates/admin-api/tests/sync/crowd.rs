//! Fifty edits in one run, of every kind and on both sides.

use crate::machine::{Machine, mailbox};
use concord_connector::wire::ChangeAct;
use concord_directory::{Directory, DirectoryAct};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What changes of a user on the foreign side; an empty value takes it away.
const THERE: [&[(&str, &str)]; 20] = [
    &[("first-name", "JANE")],
    &[("last-name", "User 1 the Great")],
    &[("title", "Clerk")],
    &[("phone", "")],
    &[("first-name", "Janet"), ("last-name", "Roe")],
    &[("department", "Sales"), ("fax", "2")],
    &[("first-name", "")],
    &[("last-name", "Müller 😀")],
    &[("smtp-alias", "given@example.test")],
    &[("phone", "+49 (30) 1-2")],
    &[("last-name", "X")],
    &[("first-name", "Jane Ann")],
    &[("fax", "7")],
    &[("department", "Field Sales")],
    &[("last-name", "O'Hara, Jr.")],
    &[("last-name", "user 15")],
    &[("title", "Clerk"), ("phone", "2")],
    &[("title", "A"), ("phone", "3"), ("fax", "4"), ("department", "D"), ("last-name", "L")],
    &[("first-name", "Jane"), ("last-name", "User 1")],
    &[("phone", "1 "), ("title", " ")],
];
/// Of these, the one that the directory has already: it keeps no outer blanks.
const SAME_THERE: usize = 19;

/// What changes of a mailbox here, and what the foreign side is told.
fn here() -> Vec<(Value, Option<ChangeAct>)> {
    let modify = Some(ChangeAct::Modify);
    let attributes = |value: Value| json!({ "attributes": value });
    vec![
        (json!({ "display_name": "DISPLAY OF PERSON00000" }), modify),
        (json!({ "display_name": "Display of person00001 the Great" }), modify),
        (attributes(json!({ "title": ["Clerk"] })), modify),
        (attributes(json!({ "givenName": ["Jane"], "sn": ["Doe"] })), modify),
        (json!({ "hidden": true }), Some(ChangeAct::Delete)),
        (json!({ "trust": 100 }), Some(ChangeAct::Delete)),
        (
            json!({ "remove_addresses": ["GWISE:EXCHANGE.FIRST.person00006"] }),
            Some(ChangeAct::Delete),
        ),
        (json!({ "primary_addresses": ["GWISE:EXCHANGE.SECOND.jane"] }), modify),
        (attributes(json!({ "telephoneNumber": ["+1 2"] })), modify),
        (attributes(json!({ "department": ["Sales"] })), modify),
        (attributes(json!({ "facsimileTelephoneNumber": ["3"] })), modify),
        (attributes(json!({ "sn": ["O'Hara, Jr."] })), modify),
        (attributes(json!({ "givenName": ["Ann Mary"] })), modify),
        (attributes(json!({ "title": ["Müller 😀"] })), modify),
        (attributes(json!({ "title": ["A"], "telephoneNumber": ["1"], "sn": ["B"] })), modify),
        (json!({ "display_name": "D", "attributes": { "title": ["T"] } }), modify),
        // What has nothing to do with the other side.
        (json!({ "quota": 1_000_000 }), None),
        (json!({ "login_disabled": true }), None),
        (json!({ "send_limit": 1_000_000 }), None),
        (json!({ "trust": 30 }), None),
    ]
}

/// Q193535, Q179996, Q241086, Q250450.
#[tokio::test]
async fn fifty_edits_of_every_kind_on_both_sides_move_only_themselves() {
    let (machine, foreign) = Machine::with_groupwise().await;
    foreign.users(200);
    machine.mailboxes(200).await;
    machine.sync("gw", json!({})).await;
    foreign.take_changes();
    let told = edit_here(&machine).await;
    let position = machine.position().await;
    for (n, edit) in THERE.iter().enumerate() {
        let mut state = foreign.state();
        let user = state.users.get_mut(&format!("CORP.PO.user{n:05}")).unwrap();
        for (name, value) in *edit {
            user.insert((*name).to_owned(), vec![(*value).to_owned()]);
        }
        user.retain(|_, values| !values[0].is_empty());
    }
    // Gone, moved to another post office, renamed, new, and new in the place of one.
    for gone in ["user00020", "user00021", "user00022", "user00023"] {
        foreign.state().users.remove(&format!("CORP.PO.{gone}"));
    }
    foreign.user_at("CORP", "PO2", "user00021", &[("last-name", "User 21")]);
    foreign.user("renamed", &[("first-name", "Jane"), ("last-name", "User 22")]);
    foreign.user("newcomer", &[("last-name", "Newcomer")]);
    foreign.user("other", &[("last-name", "Other")]);

    let run = machine.sync("gw", json!({})).await;
    let (import, export) = (run.import.unwrap(), run.export.unwrap());
    assert_eq!(
        (import.added, import.deleted, import.modified, import.failed),
        (4, 4, 19, 0),
        "{import:?}"
    );
    assert_eq!(export.failed, 0, "{:?}", export.failures);
    let moved = machine.engine().directory_changes(position, 1_000).await.unwrap();
    let mut names: Vec<String> = moved.objects.iter().map(|o| o.name.clone()).collect();
    names.sort();
    let mut expected: Vec<String> = (0..THERE.len())
        .filter(|n| *n != SAME_THERE)
        .map(|n| format!("user{n:05}"))
        .chain(["user00021", "renamed", "newcomer", "other"].map(str::to_owned))
        .collect();
    expected.sort();
    assert_eq!(names, expected, "these contacts and no other object");
    assert_eq!(moved.removed.len(), 4);
    let changes = foreign.take_changes();
    let acts: BTreeMap<_, _> = changes.iter().map(|c| (c.name.clone(), c.act)).collect();
    assert_eq!(acts.len(), changes.len(), "each once");
    assert_eq!(acts, told);

    for options in [json!({}), json!({ "full": true })] {
        let run = machine.sync("gw", options).await;
        assert_eq!((run.import.unwrap().changes(), run.export.unwrap().changes()), (0, 0));
        assert_eq!(foreign.take_changes(), []);
    }
}

/// Edits mailboxes; gives back what the foreign side is to be told, by the name
/// that it is told: a removal has the key.
async fn edit_here(machine: &Machine) -> BTreeMap<String, ChangeAct> {
    let mut told = BTreeMap::new();
    for (n, (patch, act)) in here().into_iter().enumerate() {
        let name = format!("person{n:05}");
        machine.edit(&name, patch.clone()).await;
        let shown = patch["display_name"].as_str().map(str::to_owned);
        told.extend(act.map(|act| match act {
            ChangeAct::Delete => (format!("EXCHANGE.FIRST.{name}"), act),
            _ => (shown.unwrap_or_else(|| format!("Display of {name}")), act),
        }));
    }
    // There and back is nothing; twice is once; who comes and goes was never there.
    machine.edit("person00020", json!({ "display_name": "x" })).await;
    machine.edit("person00020", json!({ "display_name": "Display of person00020" })).await;
    for title in ["A", "B"] {
        machine.edit("person00021", json!({ "attributes": { "title": [title] } })).await;
    }
    told.insert("Display of person00021".to_owned(), ChangeAct::Modify);
    machine.must("DELETE", "/v1/mailboxes/person00022", &Value::Null).await;
    told.insert("EXCHANGE.FIRST.person00022".to_owned(), ChangeAct::Delete);
    for name in ["zoe", "fleeting"] {
        machine.change(DirectoryAct::Add(mailbox(name))).await;
    }
    machine.must("DELETE", "/v1/mailboxes/fleeting", &Value::Null).await;
    told.insert("Display of zoe".to_owned(), ChangeAct::Add);
    told
}
