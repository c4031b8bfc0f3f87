//! Rules of mailboxes.

use crate::server::Server;
use serde_json::{Value, json};

const RULES: &str = "/v1/mailboxes/alice/rules";

async fn names(server: &Server) -> Vec<String> {
    let listed = server.get("/v1/mailboxes/alice@example.test/rules").await;
    let items = listed["items"].as_array().unwrap();
    items.iter().map(|rule| rule["name"].as_str().unwrap().to_owned()).collect()
}

async fn add(server: &Server, rule: Value, position: Option<u32>) -> (u16, Value) {
    let mut new = json!({ "rule": rule });
    if let Some(position) = position {
        new["position"] = json!(position);
    }
    server.call("POST", RULES, &new).await
}

#[tokio::test]
async fn rules_are_added_changed_and_removed_in_order() {
    let server = Server::with_people().await;
    let first = json!({ "name": "A b/c", "when": ["cc-me", "larger=1024"], "move_to": "inbox/X" });
    let (status, rule) = add(&server, first, None).await;
    let expected = json!({ "name": "A b/c", "enabled": true, "match": "all",
        "when": ["cc-me", "larger=1 KiB"], "unless": [], "move_to": "INBOX/X" });
    assert_eq!((status, rule), (201, expected));
    assert_eq!(add(&server, json!({ "name": "B", "flag": true }), Some(1)).await.0, 201);
    assert_eq!(add(&server, json!({ "name": "C", "stop": true }), Some(99)).await.0, 201);
    assert_eq!(names(&server).await, ["B", "A b/c", "C"]);
    // A change of anything but the place leaves the place.
    let path = format!("{RULES}/a%20B%2Fc");
    let patch = json!({ "move_to": null, "mark_read": true, "unless": ["report"] });
    let (status, rule) = server.call("PATCH", &path, &patch).await;
    assert_eq!((status, &rule["unless"], rule.get("move_to")), (200, &json!(["report"]), None));
    assert_eq!(names(&server).await, ["B", "A b/c", "C"]);
    let (status, _) = server.call("PATCH", &path, &json!({ "position": 3, "name": "Z" })).await;
    assert_eq!((status, names(&server).await), (200, vec!["B".into(), "C".into(), "Z".into()]));
    assert_eq!(server.call("DELETE", &format!("{RULES}/c"), &Value::Null).await.0, 200);
    assert_eq!(names(&server).await, ["B", "Z"]);
}

#[tokio::test]
async fn what_is_no_rule_is_refused_and_changes_nothing() {
    let server = Server::with_people().await;
    assert_eq!(add(&server, json!({ "name": "A", "flag": true }), None).await.0, 201);
    let folder = vec!["a"; 17].join("/");
    for (rule, status, code) in [
        (json!({ "name": "a", "flag": true }), 409, "directory.name-taken"),
        (json!({ "name": "B" }), 422, "directory.invalid"),
        (json!({ "name": "B", "flag": true, "when": ["colour=red"] }), 422, "api.invalid"),
        (json!({ "name": "B", "flag": true, "match": "most" }), 422, "api.invalid"),
        (json!({ "name": "B", "move_to": "a//b" }), 422, "api.invalid"),
        (json!({ "name": "B", "move_to": folder }), 422, "directory.invalid"),
        (json!({ "name": "B", "forward_to": "bob" }), 400, "api.bad-body"),
    ] {
        let (found, body) = add(&server, rule.clone(), None).await;
        assert_eq!((found, body["error"]["code"].as_str()), (status, Some(code)), "{rule} {body}");
    }
    for (method, path) in [("PATCH", "x"), ("DELETE", "x")] {
        let (status, body) = server.call(method, &format!("{RULES}/{path}"), &json!({})).await;
        let text = body.to_string();
        assert!(status == 404 && text.contains("no rule 'x'"), "{text}");
    }
    let (status, _) = server.call("PATCH", &format!("{RULES}/a"), &json!({ "flag": false })).await;
    assert_eq!(status, 422, "it would do nothing any more");
    assert_eq!(server.call("GET", "/v1/mailboxes/nobody/rules", &Value::Null).await.0, 404);
    assert_eq!(names(&server).await, ["A"]);
}

#[tokio::test]
async fn rules_are_tried_out_on_a_message_of_any_size() {
    let server = Server::with_people().await;
    let rule = json!({ "name": "A", "when": ["subject=plan", "attachment"], "match": "any",
        "unless": ["importance=low"], "move_to": "Plans", "flag": true });
    assert_eq!(add(&server, rule, None).await.0, 201);
    let path = "/v1/mailboxes/alice/rule-test";
    let large = format!("Subject: The Plan\r\n\r\n{}", "0123456789abcde\n".repeat(60_000));
    let (status, text) = server.text("POST", path, &large).await;
    let tested: Value = serde_json::from_str(&text).unwrap();
    let expected = json!({
        "rules": [{ "name": "A", "outcome": "fires", "match": "any",
            "when": [{ "condition": "subject=plan", "answer": "yes" },
                     { "condition": "attachment", "answer": "no" }],
            "unless": [{ "condition": "importance=low", "answer": "no" }] }],
        "folder": "Plans", "read": false, "flagged": true,
    });
    assert_eq!((status, tested), (200, expected));
    let (status, _) = server.text("POST", path, "").await;
    assert_eq!(status, 400);
}
