//! Connectors, generators, and the directory as a whole.

use crate::server::Server;
use serde_json::{Value, json};

fn webhook() -> Value {
    json!({
        "name": "webhook", "component": "webhook",
        "address_spaces": [{ "type": "smtp", "pattern": "HOOK.example", "cost": 3 }],
        "settings": { "url": "http://127.0.0.1/", "token": "s3cret", "tries": 2 },
    })
}

#[tokio::test]
async fn a_connector_is_added_changed_and_removed() {
    let server = Server::with_people().await;
    let (status, added) = server.call("POST", "/v1/connectors", &webhook()).await;
    assert_eq!((status, &added["enabled"]), (201, &json!(true)), "{added}");
    let space = json!([{ "type": "SMTP", "pattern": "hook.example", "cost": 3 }]);
    assert_eq!(added["address_spaces"], space);
    let patch = json!({
        "enabled": false,
        "add_address_spaces": [
            { "type": "HOOK", "pattern": "*" }, { "type": "SMTP", "pattern": "hook.example", "cost": 9 },
        ],
        "settings": { "tries": null, "url": "http://[::1]/", "more": { "deep": [1] } },
    });
    let (status, changed) = server.call("PATCH", "/v1/connectors/webhook", &patch).await;
    assert_eq!((status, &changed["enabled"]), (200, &json!(false)), "{changed}");
    assert_eq!(
        changed["address_spaces"],
        json!([
            { "type": "HOOK", "pattern": "*", "cost": 1 },
            { "type": "SMTP", "pattern": "hook.example", "cost": 9 },
        ])
    );
    let settings = json!({ "url": "http://[::1]/", "token": "s3cret", "more": { "deep": [1] } });
    assert_eq!(changed["settings"], settings);
    let remove = json!({ "remove_address_spaces": ["hook:*"] });
    let (_, changed) = server.call("PATCH", "/v1/connectors/WebHook", &remove).await;
    assert_eq!(changed["address_spaces"].as_array().unwrap().len(), 1);
    assert_eq!(server.get("/v1/connectors").await["items"], json!([changed]));
    let (status, _) = server.call("DELETE", "/v1/connectors/webhook", &Value::Null).await;
    assert_eq!(status, 200);
    assert_eq!(server.get("/v1/connectors").await["items"], json!([]));
}

#[tokio::test]
async fn what_is_no_connector_is_refused_with_the_reason() {
    let server = Server::with_people().await;
    server.call("POST", "/v1/connectors", &webhook()).await;
    for (method, path, body, status, words) in [
        ("POST", "/v1/connectors", json!({ "name": "Big", "component": "x" }), 422, "name has"),
        ("POST", "/v1/connectors", json!({ "name": "core", "component": "x" }), 422, "not 'core'"),
        ("POST", "/v1/connectors", webhook(), 409, "already"),
        (
            "PATCH",
            "/v1/connectors/webhook",
            json!({ "address_spaces": [{ "type": "SMTP", "pattern": "*x" }] }),
            422,
            "a '*' stands alone",
        ),
        (
            "PATCH",
            "/v1/connectors/webhook",
            json!({ "remove_address_spaces": ["other.example"] }),
            404,
            "no address space",
        ),
        ("PATCH", "/v1/connectors/webhook", json!({ "settings": { "x": null } }), 404, "setting"),
        ("PATCH", "/v1/connectors/nobody", json!({ "enabled": true }), 404, "no connector"),
        (
            "POST",
            "/v1/generators",
            json!({ "name": "X", "component": "x", "rule": "%q" }),
            422,
            "macro",
        ),
        (
            "POST",
            "/v1/generators",
            json!({ "name": "smtp", "component": "x", "rule": "%m" }),
            422,
            "",
        ),
    ] {
        let (found, error) = server.call(method, path, &body).await;
        let message = error["error"]["message"].as_str().unwrap_or_default();
        assert!(found == status && message.contains(words), "{method} {path} {body}: {error}");
    }
}

#[tokio::test]
async fn mailboxes_are_stamped_when_they_are_added_and_all_at_once() {
    let server = Server::with_people().await;
    let generator = json!({ "name": "hook", "component": "webhook", "rule": "%s" });
    let (status, added) = server.call("POST", "/v1/generators", &generator).await;
    assert_eq!((status, &added["name"], &added["rule"]), (201, &json!("HOOK"), &json!("%s")));
    for (name, display) in [("jane", "Jane Doe"), ("john", "John Doe"), ("jim", "Doe, Jim")] {
        let new = json!({ "name": name, "display_name": display });
        server.call("POST", "/v1/mailboxes", &new).await;
    }
    let given = json!({ "name": "jill", "addresses": ["jill@example.test", "HOOK:hers"] });
    server.call("POST", "/v1/mailboxes", &given).await;
    let hook = async |name: &str| {
        let shown = server.get(&format!("/v1/mailboxes/{name}")).await;
        let all = shown["addresses"].as_array().unwrap().clone();
        all.iter()
            .filter(|a| a["address"].as_str().unwrap().starts_with("HOOK:"))
            .map(|a| a["address"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(hook("jane").await, ["HOOK:Doe"]);
    assert_eq!(hook("john").await, ["HOOK:Doe2"]);
    assert_eq!(hook("jim").await, ["HOOK:Doe3"]);
    assert_eq!(hook("jill").await, ["HOOK:hers"]);
    let missing = server.get("/v1/generators/missing").await;
    assert_eq!(
        missing["items"],
        json!([{ "type": "HOOK", "count": 2, "mailboxes": ["alice", "bob"] }])
    );
    let (status, stamped) = server.call("POST", "/v1/generators/stamp", &Value::Null).await;
    assert_eq!((status, stamped), (200, json!({ "stamped": 2, "already": 4, "failed": [] })));
    assert_eq!(hook("alice").await, ["HOOK:Alice"]);
    let (_, again) = server.call("POST", "/v1/generators/stamp", &Value::Null).await;
    assert_eq!(again, json!({ "stamped": 0, "already": 6, "failed": [] }));
}

#[tokio::test]
async fn a_rule_that_gives_nothing_fails_no_mailbox() {
    let server = Server::with_people().await;
    let generator = json!({ "name": "HOOK", "component": "webhook", "rule": "%g" });
    server.call("POST", "/v1/generators", &generator).await;
    let (status, _) = server.call("POST", "/v1/mailboxes", &json!({ "name": "cher" })).await;
    assert_eq!(status, 201);
    let missing = server.get("/v1/generators/missing").await;
    assert_eq!(missing["items"][0]["count"], json!(3));
    let (_, stamped) = server.call("POST", "/v1/generators/stamp", &Value::Null).await;
    assert_eq!((&stamped["stamped"], &stamped["already"]), (&json!(0), &json!(0)), "{stamped}");
    let cause = stamped["failed"][2]["cause"].as_str().unwrap();
    assert!(cause.contains("gives nothing for 'cher'"), "{cause}");
    let patch = json!({ "rule": "%m" });
    let (status, _) = server.call("PATCH", "/v1/generators/hook", &patch).await;
    assert_eq!(status, 200);
    let (_, stamped) = server.call("POST", "/v1/generators/stamp", &Value::Null).await;
    assert_eq!(stamped["stamped"], json!(3), "{stamped}");
}

#[tokio::test]
async fn hundreds_of_one_name_get_addresses_of_their_own() {
    let server = Server::with_people().await;
    for n in 0..230 {
        let new = json!({ "name": format!("user{n}"), "display_name": "Jane Doe" });
        assert_eq!(server.call("POST", "/v1/mailboxes", &new).await.0, 201);
    }
    let generator = json!({ "name": "HOOK", "component": "webhook", "rule": "%g.%s" });
    server.call("POST", "/v1/generators", &generator).await;
    let (_, stamped) = server.call("POST", "/v1/generators/stamp", &Value::Null).await;
    // Alice and Bob have one name only, which is the surname.
    assert_eq!((&stamped["stamped"], &stamped["failed"]), (&json!(232), &json!([])), "{stamped}");
    let last = server.get("/v1/mailboxes/HOOK:Jane.Doe230").await;
    assert_eq!(last["kind"], json!("mailbox"));
}

#[tokio::test]
async fn the_whole_directory_has_no_secrets() {
    let server = Server::with_people().await;
    server.call("POST", "/v1/connectors", &webhook()).await;
    let (status, text) = server.text("GET", "/v1/directory", "").await;
    assert_eq!(status, 200);
    for secret in ["s3cret", "argon2", "credentials", "stored_key"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let whole: Value = serde_json::from_str(&text).unwrap();
    let items = whole["items"].as_array().unwrap();
    let kinds: Vec<_> = items.iter().map(|item| item["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["organisation", "site", "server", "domain", "mailbox", "mailbox", "connector"]
    );
    assert_eq!(items[4]["details"]["password_set"], json!(true));
    assert_eq!(items[4]["proxies"][0]["address"], json!("SMTP:alice@example.test"));
    let settings = json!({ "url": "(hidden)", "token": "(hidden)", "tries": 2 });
    assert_eq!(items[6]["details"]["settings"], settings);
}

/// Q230331, Q146455: Internet addresses by a rule.
#[tokio::test]
async fn who_is_added_without_an_address_gets_one_by_the_rule_of_the_internet_generator() {
    let server = Server::with_people().await;
    let rule = json!({ "name": "SMTP", "component": "core", "rule": "%g.%s@example.test" });
    let (status, added) = server.call("POST", "/v1/generators", &rule).await;
    assert_eq!(status, 201, "{added}");
    let mut seen = Vec::new();
    for name in ["jane", "jane2"] {
        let new = json!({ "name": name, "display_name": "Jane Doe" });
        let (status, added) = server.call("POST", "/v1/mailboxes", &new).await;
        assert_eq!(status, 201, "{added}");
        seen.push(added["addresses"][0]["address"].clone());
    }
    let list = json!({ "name": "staff", "display_name": "All Staff" });
    let (_, added) = server.call("POST", "/v1/lists", &list).await;
    seen.push(added["addresses"][0]["address"].clone());
    let of = |local: &str| json!(format!("SMTP:{local}@example.test"));
    assert_eq!(seen, [of("Jane.Doe"), of("Jane.Doe2"), of("All.Staff")]);
    let given = json!({ "name": "x", "addresses": ["own@example.test"] });
    let (_, added) = server.call("POST", "/v1/mailboxes", &given).await;
    assert_eq!(added["addresses"].as_array().unwrap().len(), 1);
}
