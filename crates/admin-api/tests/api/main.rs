//! The API over its Unix socket and the embedded engine.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

mod connectors;
mod directory;
mod generators;
mod queue;
mod restore;
mod rules;
mod server;

use serde_json::Value;

#[tokio::test]
async fn a_held_core_answers_questions_and_refuses_changes() {
    let server = server::Server::held().await;
    assert_eq!(server.call("GET", "/v1/summary", &Value::Null).await.0, 200);
    let domain = serde_json::json!({ "name": "x.test" });
    let (status, body) = server.call("POST", "/v1/domains", &domain).await;
    assert_eq!((status, body["error"]["code"].as_str()), (503, Some("core.held")));
    server.go_ahead.cancel();
    assert_eq!(server.call("POST", "/v1/domains", &domain).await.0, 201);
}

#[tokio::test]
async fn a_backup_is_told_of_in_lines_and_wants_absolute_paths() {
    let server = server::Server::start().await;
    let (status, text) = server.text("POST", "/v1/store/backup", r#"{"to":"/b/1"}"#).await;
    assert_eq!(status, 200);
    assert!(text.contains("/b/1") && text.contains("all is well"), "{text}");
    let relative = serde_json::json!({ "to": "/b/2", "previous": "b/1" });
    let (status, body) = server.call("POST", "/v1/store/backup", &relative).await;
    assert_eq!((status, body["error"]["code"].as_str()), (422, Some("api.invalid")));
}
