//! Mailboxes, contacts, lists, domains.

use crate::server::{Server, bootstrap};
use concord_directory::Directory;
use serde_json::{Value, json};

#[tokio::test]
async fn a_bootstrap_with_a_bad_domain_makes_nothing() {
    let server = Server::start().await;
    let mut bad = bootstrap();
    bad["domain"] = json!("no domain");
    let (status, error) = server.call("POST", "/v1/directory/bootstrap", &bad).await;
    assert_eq!((status, &error["error"]["code"]), (422, &json!("api.invalid")));
    // There is one organisation only: a remnant would bar the right name.
    let mut right = bootstrap();
    right["organisation"] = json!("Another");
    let (status, made) = server.call("POST", "/v1/directory/bootstrap", &right).await;
    assert_eq!(status, 200, "{made}");
}

#[tokio::test]
async fn bootstrap_may_be_said_again() {
    let server = Server::start().await;
    let (status, first) = server.call("POST", "/v1/directory/bootstrap", &bootstrap()).await;
    assert_eq!((status, first["made"].as_array().unwrap().len()), (200, 6), "{first}");
    let (_, again) = server.call("POST", "/v1/directory/bootstrap", &bootstrap()).await;
    assert_eq!(again["made"], json!([]));
    assert_eq!(again["kept"].as_array().unwrap().len(), 6);
    let mut other = bootstrap();
    other["organisation"] = json!("Another");
    let (status, refused) = server.call("POST", "/v1/directory/bootstrap", &other).await;
    assert_eq!((status, &refused["error"]["code"]), (422, &json!("api.invalid")));
    let alice = server.engine.login("alice@example.test").await.unwrap().unwrap();
    let credentials = alice.mailbox().unwrap().credentials.as_ref().unwrap();
    assert!(concord_sasl::check_password(credentials, "demo"));
}

#[tokio::test]
async fn a_mailbox_is_added_changed_shown_and_removed() {
    let server = Server::with_people().await;
    let new = json!({ "name": "carol", "display_name": "Carol", "quota": 1_000_000 });
    let (status, added) = server.call("POST", "/v1/mailboxes", &new).await;
    assert_eq!((status, &added["used"]), (201, &json!(0)), "{added}");
    let carol = json!([{ "address": "SMTP:carol@example.test", "primary": true }]);
    assert_eq!(added["addresses"], carol);
    let patch = json!({
        "primary_addresses": ["c.smith@example.test"], "add_addresses": ["NOTES:Carol/Acme"],
        "quota": null, "login_disabled": true,
    });
    let (status, changed) = server.call("PATCH", "/v1/mailboxes/carol@example.test", &patch).await;
    assert_eq!(status, 200, "{changed}");
    assert_eq!(changed.get("quota"), None);
    assert_eq!(changed["login_disabled"], json!(true));
    let primaries: Vec<_> = changed["addresses"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|a| a["primary"] == json!(true))
        .map(|a| a["address"].as_str().unwrap())
        .collect();
    assert_eq!(primaries.len(), 2);
    assert!(primaries.contains(&"SMTP:c.smith@example.test"));
    let (status, refused) = server
        .call(
            "PATCH",
            "/v1/mailboxes/carol",
            &json!({ "remove_addresses": ["c.smith@example.test"] }),
        )
        .await;
    assert_eq!(status, 422, "a primary address does not just go: {refused}");
    let (status, _) = server.call("DELETE", "/v1/mailboxes/carol", &Value::Null).await;
    assert_eq!(status, 200);
    let (status, gone) = server.call("GET", "/v1/mailboxes/carol", &Value::Null).await;
    assert_eq!((status, &gone["error"]["code"]), (404, &json!("directory.not-found")));
}

#[tokio::test]
async fn a_password_is_set_and_never_given_back() {
    let server = Server::with_people().await;
    let path = "/v1/mailboxes/bob/password";
    let (status, set) = server.call("PUT", path, &json!({ "password": "geheim" })).await;
    assert_eq!((status, &set["password_set"]), (200, &json!(true)));
    assert!(!set.to_string().contains("argon2"));
    let bob = server.engine.login("bob").await.unwrap().unwrap();
    let credentials = bob.mailbox().unwrap().credentials.as_ref().unwrap();
    assert!(concord_sasl::check_password(credentials, "geheim"));
    let (status, error) = server.call("PUT", path, &json!({ "password": "" })).await;
    assert_eq!((status, &error["error"]["code"]), (422, &json!("sasl.password-empty")));
    let (_, cleared) = server.call("PUT", path, &json!({ "password": null })).await;
    assert_eq!(cleared["password_set"], json!(false));
}

#[tokio::test]
async fn an_address_belongs_to_one_recipient() {
    let server = Server::with_people().await;
    let new = json!({ "name": "eve", "addresses": ["ALICE@example.test"] });
    let (status, error) = server.call("POST", "/v1/mailboxes", &new).await;
    assert_eq!((status, &error["error"]["code"]), (409, &json!("directory.address-taken")));
    assert_eq!(error["error"]["retry"], json!("permanent"));
    let foreign = json!({ "name": "eve", "addresses": ["eve@elsewhere.test"] });
    let (status, error) = server.call("POST", "/v1/mailboxes", &foreign).await;
    assert_eq!((status, &error["error"]["code"]), (422, &json!("api.foreign-domain")));
    assert!(error["error"]["advice"].as_str().unwrap().contains("concord domain add"));
    let (status, error) = server.call("POST", "/v1/mailboxes", &json!({ "name": "Alice" })).await;
    assert_eq!(status, 409, "{error}");
}

#[tokio::test]
async fn a_list_has_members_by_name_and_by_address() {
    let server = Server::with_people().await;
    let contact = json!({ "name": "dave", "target": "dave@elsewhere.test" });
    let (status, _) = server.call("POST", "/v1/contacts", &contact).await;
    assert_eq!(status, 201);
    let new = json!({ "name": "team", "members": ["alice", "bob@example.test"] });
    let (status, added) = server.call("POST", "/v1/lists", &new).await;
    assert_eq!((status, &added["member_count"]), (201, &json!(2)), "{added}");
    let patch = json!({ "add_members": ["dave"], "remove_members": ["bob"] });
    let (_, changed) = server.call("PATCH", "/v1/lists/team", &patch).await;
    let members = json!([
        { "kind": "mailbox", "name": "alice" }, { "kind": "contact", "name": "dave" },
    ]);
    assert_eq!(changed["members"], members);
    let (status, error) =
        server.call("PATCH", "/v1/lists/team", &json!({ "add_members": ["team"] })).await;
    assert_eq!(status, 422, "a list is not its own member: {error}");
    let (status, _) =
        server.call("PATCH", "/v1/lists/team", &json!({ "remove_members": ["bob"] })).await;
    assert_eq!(status, 404);
    let (status, error) = server.call("PATCH", "/v1/contacts/dave", &json!({ "quota": 1 })).await;
    assert_eq!(
        (status, &error["error"]["message"]),
        (422, &json!("cannot change that: a contact has no quota; leave it out"))
    );
}

#[tokio::test]
async fn a_domain_with_recipients_stays() {
    let server = Server::with_people().await;
    let (status, error) = server.call("DELETE", "/v1/domains/example.test", &Value::Null).await;
    assert_eq!((status, &error["error"]["code"]), (409, &json!("directory.in-use")));
    let (status, added) =
        server.call("POST", "/v1/domains", &json!({ "name": "Bücher.example" })).await;
    assert_eq!((status, &added["name"]), (201, &json!("xn--bcher-kva.example")));
    let (status, _) =
        server.call("DELETE", "/v1/domains/xn--bcher-kva.example", &Value::Null).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn listings_come_in_pages() {
    let server = Server::with_people().await;
    for n in 0..5 {
        server.call("POST", "/v1/mailboxes", &json!({ "name": format!("user{n}") })).await;
    }
    let mut names = Vec::new();
    let mut path = "/v1/mailboxes?limit=3".to_owned();
    loop {
        let page = server.get(&path).await;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 3);
        names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/mailboxes?limit=3&after={next}");
    }
    assert_eq!(names, ["alice", "bob", "user0", "user1", "user2", "user3", "user4"]);
}

#[tokio::test]
async fn every_error_is_json_with_a_code() {
    let server = Server::with_people().await;
    let null = Value::Null;
    for (method, path, body, status, code) in [
        ("GET", "/nothing", null.clone(), 404, "api.no-such-path"),
        ("DELETE", "/v1/summary", null.clone(), 405, "api.wrong-method"),
        ("POST", "/v1/mailboxes", null.clone(), 400, "api.bad-body"),
        ("POST", "/v1/mailboxes", json!({ "name": "x", "nmae": "x" }), 400, "api.bad-body"),
        ("GET", "/v1/mailboxes?limit=many", null.clone(), 400, "api.bad-query"),
        ("GET", "/v1/mailboxes?lmit=1", null.clone(), 400, "api.bad-query"),
        ("GET", "/v1/mailboxes/%ff", null.clone(), 404, "api.no-such-path"),
        ("GET", "/v1/queue/Q0000009", null.clone(), 404, "transport.not-queued"),
        ("GET", "/v1/queue/12", null.clone(), 422, "api.invalid"),
        ("POST", "/v1/queue/Q0000009/explode", null.clone(), 404, "api.no-such-path"),
        ("POST", "/v1/queue-acts", json!({ "act": "delete" }), 422, "api.invalid"),
        ("GET", "/v1/trace", null.clone(), 400, "api.bad-query"),
        (
            "POST",
            "/v1/mailboxes",
            json!({ "name": "x".repeat(2 << 20) }),
            413,
            "api.body-too-large",
        ),
    ] {
        let (found, error) = server.call(method, path, &body).await;
        assert_eq!(
            (found, &error["error"]["code"]),
            (status, &json!(code)),
            "{method} {path}: {error}"
        );
        assert!(error["error"]["message"].as_str().is_some_and(|m| !m.is_empty()));
    }
}
