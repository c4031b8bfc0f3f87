//! Rules of generators that change.

use crate::server::Server;
use serde_json::{Value, json};

/// A server whose generator of HOOK addresses has this rule.
async fn with_rule(rule: &str) -> Server {
    let server = Server::with_people().await;
    let generator = json!({ "name": "HOOK", "component": "webhook", "rule": rule });
    assert_eq!(server.call("POST", "/v1/generators", &generator).await.0, 201);
    server
}

async fn add(server: &Server, name: &str, display: &str) {
    let new = json!({ "name": name, "display_name": display });
    let (status, added) = server.call("POST", "/v1/mailboxes", &new).await;
    assert_eq!(status, 201, "{added}");
}

/// Addresses of the type, the primary one first.
async fn hook(server: &Server, name: &str) -> Vec<String> {
    of_type(&server.get(&format!("/v1/mailboxes/{name}")).await)
}

fn of_type(shown: &Value) -> Vec<String> {
    let all = shown["addresses"].as_array().unwrap().iter();
    let all = all.filter_map(|a| a["address"].as_str().unwrap().strip_prefix("HOOK:"));
    all.map(str::to_owned).collect()
}

/// Rules are written so that they need no escapes but this one.
async fn preview(server: &Server, rule: &str) -> Value {
    server.get(&format!("/v1/generators/hook/preview?rule={}", rule.replace('%', "%25"))).await
}

/// Every line of the answer; the last one says how it ended.
async fn restamp(server: &Server, rule: &str) -> Vec<Value> {
    let body = json!({ "rule": rule }).to_string();
    let (status, text) = server.text("POST", "/v1/generators/hook/restamp", &body).await;
    assert_eq!(status, 200, "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn counts(of: &Value) -> [u64; 5] {
    ["moved", "added", "kept", "by_hand", "failed"].map(|name| of[name].as_u64().unwrap())
}

#[tokio::test]
async fn a_preview_tells_what_a_rule_would_do_and_changes_nothing() {
    let server = with_rule("%s").await;
    add(&server, "jane", "Jane Doe").await;
    add(&server, "john", "John Doe").await;
    let before = server.text("GET", "/v1/directory", "").await;
    // Alice and Bob have no address yet, and one name only.
    let would = preview(&server, "%g.%s").await;
    assert_eq!(counts(&would), [2, 2, 0, 0, 0]);
    assert_eq!(
        would["changes"],
        json!([
            { "recipient": "alice", "new": "HOOK:.Alice" },
            { "recipient": "bob", "new": "HOOK:.bob" },
            { "recipient": "jane", "old": "HOOK:Doe", "new": "HOOK:Jane.Doe" },
            { "recipient": "john", "old": "HOOK:Doe2", "new": "HOOK:John.Doe" },
        ])
    );
    let would = preview(&server, "%g").await;
    assert_eq!(counts(&would), [2, 0, 0, 0, 2], "{would}");
    let cause = would["failures"][0]["cause"].as_str().unwrap();
    assert!(cause.contains("gives nothing for 'alice'"), "{cause}");
    assert_eq!(server.text("GET", "/v1/directory", "").await, before);
    for (path, status) in [
        ("/v1/generators/hook/preview?rule=%25q", 422),
        ("/v1/generators/hook/preview", 400),
        ("/v1/generators/none/preview?rule=x", 404),
    ] {
        assert_eq!(server.text("GET", path, "").await.0, status, "{path}");
    }
}

/// Q230331: replies to the address before still arrive.
#[tokio::test]
async fn a_new_rule_makes_the_primary_address_and_the_one_before_stays_secondary() {
    let server = with_rule("%s").await;
    add(&server, "jane", "Jane Doe").await;
    let told = restamp(&server, "%g.%s").await;
    let done = told.last().unwrap();
    assert_eq!((&done["event"], counts(done)), (&json!("done"), [1, 2, 0, 0, 0]), "{done}");
    assert_eq!(told[0], json!({ "event": "step", "done": 3, "total": 3 }));
    assert_eq!(hook(&server, "jane").await, ["Jane.Doe", "Doe"]);
    assert_eq!(server.get("/v1/mailboxes/HOOK:doe").await["name"], json!("jane"));
    assert_eq!(server.get("/v1/generators/hook").await["rule"], json!("%g.%s"));
    // And back: the one that it had is primary again, and none is there twice.
    restamp(&server, "%s").await;
    assert_eq!(hook(&server, "jane").await, ["Doe", "Jane.Doe"]);
    let again = restamp(&server, "%s").await;
    assert_eq!(counts(again.last().unwrap()), [0, 0, 3, 0, 0]);
    // New mailboxes get theirs by the rule that holds.
    add(&server, "john", "John Doe").await;
    assert_eq!(hook(&server, "john").await, ["Doe2"]);
}

#[tokio::test]
async fn addresses_that_were_given_by_hand_stay_and_numbered_ones_move() {
    let server = with_rule("%s").await;
    for (name, display) in [("jane", "Jane Doe"), ("john", "John Doe"), ("jim", "Jim Doe")] {
        add(&server, name, display).await;
    }
    let given = json!({ "name": "jill", "display_name": "Jill Doe", "addresses":
        ["jill@example.test", "HOOK:Does"] });
    server.call("POST", "/v1/mailboxes", &given).await;
    let beside = json!({ "add_addresses": ["HOOK:nickname"] });
    server.call("PATCH", "/v1/mailboxes/jim", &beside).await;
    let done = restamp(&server, "%g").await;
    let done = done.last().unwrap();
    assert_eq!(counts(done), [3, 0, 0, 1, 2], "{done}");
    assert_eq!(hook(&server, "jane").await, ["Jane", "Doe"]);
    assert_eq!(hook(&server, "john").await, ["John", "Doe2"]);
    let jim = hook(&server, "jim").await;
    assert_eq!((jim[0].as_str(), jim.len()), ("Jim", 3), "{jim:?}");
    assert_eq!(hook(&server, "jill").await, ["Does"]);
}

#[tokio::test]
async fn thirty_of_one_name_have_thirty_addresses_by_the_new_rule_too() {
    let server = with_rule("%s").await;
    for n in 0..30 {
        add(&server, &format!("user{n:02}"), "Jane Doe").await;
    }
    let would = preview(&server, "%g.%s").await;
    assert_eq!(would["changes"].as_array().unwrap().len(), 20, "the first ones only");
    let done = restamp(&server, "%g.%s").await;
    let done = done.last().unwrap();
    assert_eq!((counts(done), counts(&would)), ([30, 2, 0, 0, 0], [30, 2, 0, 0, 0]));
    assert_eq!(done["changes"], would["changes"], "as the preview said");
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..30 {
        let found = hook(&server, &format!("user{n:02}")).await;
        assert_eq!(found.len(), 2, "{found:?}");
        seen.extend(found);
    }
    assert_eq!(seen.len(), 60, "the old ones and the new ones");
    assert!(seen.contains("Jane.Doe30"), "{seen:?}");
}

#[tokio::test]
async fn a_rule_that_gives_nothing_for_some_leaves_them_their_address() {
    let server = with_rule("%m").await;
    server.call("POST", "/v1/generators/stamp", &Value::Null).await;
    add(&server, "jdoe", "Jane Doe").await;
    let done = restamp(&server, "%g").await;
    let done = done.last().unwrap();
    assert_eq!(counts(done), [1, 0, 0, 0, 2], "{done}");
    assert_eq!(done["failures"][1]["mailbox"], json!("bob"));
    assert_eq!(hook(&server, "alice").await, ["alice"]);
    let refused = restamp(&server, "%q").await;
    assert_eq!(refused[0]["error"]["code"], json!("directory.invalid"), "{refused:?}");
    assert_eq!(server.get("/v1/generators/hook").await["rule"], json!("%g"));
}

/// A contact is reached through its own system: that address is not the rule's.
#[tokio::test]
async fn contacts_keep_the_address_of_their_system_and_get_none_that_they_lack() {
    let server = with_rule("%m").await;
    let theirs = json!({ "name": "theirs", "target": "HOOK:theirs",
        "addresses": ["theirs@example.test", "HOOK:theirs"] });
    let (status, added) = server.call("POST", "/v1/contacts", &theirs).await;
    assert_eq!(status, 201, "{added}");
    for (name, addresses) in [
        ("known", json!(["known@example.test", "HOOK:known"])),
        ("plain", json!(["plain@example.test"])),
    ] {
        let new =
            json!({ "name": name, "target": format!("{name}@where.test"), "addresses": addresses });
        assert_eq!(server.call("POST", "/v1/contacts", &new).await.0, 201);
    }
    let done = restamp(&server, "x-%m").await;
    assert_eq!(counts(done.last().unwrap()), [1, 2, 0, 1, 0], "{done:?}");
    for (name, expected) in
        [("theirs", vec!["theirs"]), ("known", vec!["x-known", "known"]), ("plain", vec![])]
    {
        assert_eq!(of_type(&server.get(&format!("/v1/contacts/{name}")).await), expected);
    }
}

#[tokio::test]
async fn stamping_tells_how_far_it_is_if_it_is_asked_to() {
    let server = with_rule("%m").await;
    for n in 0..150 {
        add(&server, &format!("user{n:03}"), "Jane Doe").await;
    }
    let path = "/v1/generators/stamp?progress=true";
    let (status, text) = server.text("POST", path, "").await;
    let told: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (status, told.as_slice()),
        (
            200,
            &[
                json!({ "event": "step", "done": 100, "total": 152 }),
                json!({ "event": "step", "done": 152, "total": 152 }),
                json!({ "event": "done", "stamped": 2, "already": 150, "failed": [] }),
            ][..]
        )
    );
}

#[tokio::test]
async fn a_mailbox_that_comes_while_others_are_restamped_is_among_them() {
    let server = std::sync::Arc::new(with_rule("%s").await);
    for n in 0..300 {
        add(&server, &format!("user{n:03}"), "Jane Doe").await;
    }
    let adding = {
        let server = std::sync::Arc::clone(&server);
        tokio::spawn(async move {
            for n in 0..60 {
                add(&server, &format!("late{n:02}"), "Jane Roe").await;
            }
        })
    };
    let done = restamp(&server, "%g.%s").await;
    assert_eq!(done.last().unwrap()["event"], json!("done"));
    adding.await.unwrap();
    for n in 0..60 {
        let found = hook(&server, &format!("late{n:02}")).await;
        assert!(found[0].starts_with("Jane.Roe"), "{found:?}");
    }
}

/// A rule is brought in last: who breaks off has the old one, and goes on later.
#[tokio::test]
async fn a_restamp_that_nobody_listens_to_any_more_is_ended_by_saying_it_again() {
    let server = with_rule("%s").await;
    for n in 0..400 {
        add(&server, &format!("user{n:03}"), "Jane Doe").await;
    }
    server.break_off("/v1/generators/hook/restamp", r#"{"rule":"%g.%s"}"#).await;
    let done = loop {
        let told = restamp(&server, "%g.%s").await;
        let last = told.last().unwrap().clone();
        if last["error"]["code"] != json!("storage.in-use") {
            break last;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    assert_eq!((&done["event"], &done["failed"]), (&json!("done"), &json!(0)), "{done}");
    assert_eq!(server.get("/v1/generators/hook").await["rule"], json!("%g.%s"));
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..400 {
        let found = hook(&server, &format!("user{n:03}")).await;
        assert!(found.len() == 2 && found[0].starts_with("Jane.Doe"), "{found:?}");
        assert!(found.into_iter().all(|address| seen.insert(address)), "nobody else's");
    }
}
