//! A connector that cannot be reached: its mail goes another way, and comes
//! back. A file of its own, because a process has one core.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

mod common;

use common::{Core, wait_taken};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

async fn connector(core: &Core, name: &str, cost: u8) {
    let space = json!([{ "type": "GWISE", "pattern": "*", "cost": cost }]);
    let new = json!({ "name": name, "component": name, "address_spaces": space });
    core.api("POST", "/v1/connectors", &new).await;
}

/// T101: Q193322.
#[tokio::test]
async fn mail_goes_round_a_connector_that_cannot_reach_its_system_and_comes_back() {
    let core = Core::start().await;
    let bootstrap = json!({
        "organisation": "Example", "site": "First", "server": "mail", "domain": "example.test",
        "mailboxes": [{ "name": "alice" }],
    });
    core.api("POST", "/v1/directory/bootstrap", &bootstrap).await;
    let contact = json!({
        "name": "jane", "target": "GWISE:DOM.PO.jane", "addresses": ["jane@example.test"],
    });
    core.api("POST", "/v1/contacts", &contact).await;
    connector(&core, "cheap", 1).await;
    connector(&core, "dear", 5).await;
    // It is there, but says that it cannot reach its system.
    let socket = core.path("deliver-cheap.sock");
    let listener = tokio::net::UnixListener::bind(&socket).unwrap();
    let refusing = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.write_all(b"421 4.4.1 the gateway is not mounted\r\n").await;
        }
    });
    let dear = core.connector("dear");
    let inside = "IMCEAGWISE-DOM+2EPO+2Ejane@mail.example.test";
    let mut session = core.session("internet-mail").await;
    session.send("jane@example.test", "first").await;
    wait_taken(&dear, &[inside]).await;
    let trace = core.api("GET", "/v1/trace?address=GWISE:DOM.PO.jane", &Value::Null).await;
    let events = trace["items"][0]["events"].as_array().unwrap();
    assert!(events.iter().any(|event| event["event"] == "rerouted"), "{trace}");
    let route = core.api("GET", "/v1/route?address=GWISE:DOM.PO.jane", &Value::Null).await;
    assert_eq!(route["copies"][0]["connector"], "dear", "{route}");
    let outcomes: Vec<&Value> = route["copies"][0]["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|candidate| &candidate["outcome"])
        .collect();
    assert_eq!(outcomes, ["chosen", "unreachable"]);
    session.send("jane@example.test", "second").await;
    wait_taken(&dear, &[inside, inside]).await;
    // It can reach its system again: the next message is its own.
    refusing.abort();
    let _ = refusing.await;
    std::fs::remove_file(&socket).unwrap();
    let cheap = core.connector("cheap");
    for _ in 0..500 {
        let route = core.api("GET", "/v1/route?address=GWISE:DOM.PO.jane", &Value::Null).await;
        if route["copies"][0]["connector"] == "cheap" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    session.send("jane@example.test", "third").await;
    wait_taken(&cheap, &[inside]).await;
}
