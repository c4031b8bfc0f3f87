//! Connectors of the directory: routing, dispatchers that come and go, and who
//! may send where. One test, because a process has one core.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

mod common;

use common::{Core, wait_taken};
use serde_json::{Value, json};

async fn set_up(core: &Core) {
    let bootstrap = json!({
        "organisation": "Example", "site": "First", "server": "mail", "domain": "example.test",
        "mailboxes": [{ "name": "alice" }],
    });
    core.api("POST", "/v1/directory/bootstrap", &bootstrap).await;
    contact(core, "orders", "HOOK:orders/new").await;
}

async fn contact(core: &Core, name: &str, target: &str) {
    let addresses = [format!("{name}@example.test")];
    let new = json!({ "name": name, "target": target, "addresses": addresses });
    core.api("POST", "/v1/contacts", &new).await;
}

fn webhook() -> Value {
    let space = |kind: &str, pattern: &str| json!({ "type": kind, "pattern": pattern });
    json!({
        "name": "webhook", "component": "webhook",
        "address_spaces": [
            space("SMTP", "gateway@example.test"), space("SMTP", "*.hook.test"), space("HOOK", "*"),
        ],
    })
}

#[tokio::test]
async fn connectors_carry_what_their_address_spaces_say() {
    let core = Core::start().await;
    set_up(&core).await;
    let hooked = core.connector("webhook");
    let mut stranger = core.session("mail.example.test").await;
    let mut known = core.session("webhook").await;
    assert!(stranger.rcpt("gateway@example.test").await.starts_with("550 5.1.1"));
    assert!(stranger.rcpt("orders@example.test").await.starts_with("550 5.4.4"));
    assert!(known.rcpt("x@far.test").await.starts_with("550 5.7.1"), "no connector yet");
    core.api("POST", "/v1/connectors", &webhook()).await;

    // The next RCPT sees it. Strangers reach users of our domain behind it, and
    // contacts, but no other domain.
    assert!(stranger.rcpt("gateway@example.test").await.starts_with("250"));
    assert!(stranger.rcpt("orders@example.test").await.starts_with("250"));
    assert!(stranger.rcpt("other@example.test").await.starts_with("550 5.1.1"));
    assert!(stranger.rcpt("x@a.hook.test").await.starts_with("550 5.7.1"));
    assert!(stranger.rcpt("x@far.test").await.starts_with("550 5.7.1"));
    assert!(known.rcpt("x@far.test").await.starts_with("250"), "a connector is no stranger");

    stranger.send("gateway@example.test", "in").await;
    stranger.send("orders@example.test", "order").await;
    known.send("x@a.hook.test", "back").await;
    let inside = "IMCEAHOOK-orders_new@mail.example.test";
    wait_taken(&hooked, &[inside, "gateway@example.test", "x@a.hook.test"]).await;

    known.send("later@a.hook.test", "moves").await;
    contact(&core, "late", "HOOK:later").await;
    stranger.send("late@example.test", "stays").await;
    let tried = |delivery: &Value| delivery["attempts"] == 1;
    let moves = core.wait_queued("moves", tried).await;
    assert_eq!(moves["arrival"]["connector"], json!("webhook"));
    let stays = core.wait_queued("stays", tried).await;
    assert_eq!(stays["arrival"]["connector"], json!("internet-mail"));

    // Disabled, what another one can carry goes to that one at once.
    core.api("PATCH", "/v1/connectors/webhook", &json!({ "enabled": false })).await;
    assert!(known.say("MAIL FROM:<a@far.test>").await.starts_with("451 4.3.2"));
    core.wait_queued("moves", |delivery| delivery["connector"] == "internet-mail").await;
    let disabled = json!("connector webhook is disabled");
    core.wait_queued("stays", |delivery| delivery["stranded"] == disabled).await;
    let trace = core.api("GET", "/v1/trace?address=SMTP:later@a.hook.test", &Value::Null).await;
    let events = trace["items"][0]["events"].as_array().unwrap();
    assert!(events.iter().any(|event| event["event"] == "rerouted"), "{trace}");
    // What nobody carries waits, and says why when it is due.
    let id = stays["queue_id"].as_str().unwrap();
    core.api("POST", &format!("/v1/queue/{id}/retry"), &Value::Null).await;
    let other = json!({ "name": "third", "component": "third", "address_spaces": [] });
    core.api("POST", "/v1/connectors", &other).await;
    let stays = core.wait_queued("stays", tried).await;
    let why = "connector webhook is disabled, and no other one carries HOOK:later";
    assert_eq!(stays["deliveries"][0]["last_answer"]["text"], json!(why));

    // The dispatcher of a new connector takes it over.
    let taken = core.connector("fourth");
    let space = json!([{ "type": "HOOK", "pattern": "lat*" }]);
    let new = json!({ "name": "fourth", "component": "x", "address_spaces": space });
    core.api("POST", "/v1/connectors", &new).await;
    let moved = |delivery: &Value| delivery["connector"] == "fourth" && delivery["attempts"] == 2;
    core.wait_queued("stays", moved).await;
    assert!(taken.lock().unwrap().is_empty(), "it was told to come later");
}
