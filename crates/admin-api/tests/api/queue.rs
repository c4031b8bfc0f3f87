//! Queue, tracking, numbers, maintenance.

use crate::server::Server;
use concord_base::{MessageId, QueueId, Timestamp};
use concord_store::Body;
use concord_transport::{
    Arrival, Destination, EnvelopeOptions, Notify, Queue, ReversePath, RoutedRecipient, Submission,
};
use serde_json::{Value, json};

async fn send(server: &Server, to: &str, number: u32) -> MessageId {
    let (_, domain) = to.split_once('@').unwrap();
    let message = "Return-Path: <alice@example.test>\r\nSubject: Plans\r\n\r\nx\r\n".to_owned();
    server
        .engine
        .take_in(Submission {
            arrival: Arrival { connector: "internet-mail".into(), ..Arrival::default() },
            received: Timestamp::from_seconds(1_790_000_000 + i64::from(number)),
            sender: ReversePath(Some("alice@example.test".parse().unwrap())),
            options: EnvelopeOptions::default(),
            recipients: vec![RoutedRecipient {
                reports_to: None,
                filing: None,
                address: to.parse().unwrap(),
                given: to.parse().unwrap(),
                original: None,
                notify: Notify::default(),
                destination: Destination::Connector {
                    connector: "internet-mail".into(),
                    group: domain.into(),
                },
            }],
            header_message_id: format!("m{number}@example.test"),
            subject: "Plans".into(),
            body: Body::from_bytes(message),
            return_path_octets: 35,
            hold: None,
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn a_queued_message_is_held_released_and_returned() {
    let server = Server::with_people().await;
    let id = QueueId(send(&server, "bob@elsewhere.test", 1).await);
    let shown = server.get(&format!("/v1/queue/{id}")).await;
    assert_eq!(shown["sender"], json!("alice@example.test"));
    assert_eq!(shown["deliveries"][0]["recipient"], json!("SMTP:bob@elsewhere.test"));
    for (act, state) in [("hold", "held"), ("release", "queued"), ("retry", "queued")] {
        let path = format!("/v1/queue/{id}/{act}");
        let (status, done) = server.call("POST", &path, &Value::Null).await;
        assert_eq!((status, &done["done"]), (200, &json!([id.to_string()])), "{done}");
        let shown = server.get(&format!("/v1/queue/{id}")).await;
        assert_eq!(shown["deliveries"][0]["state"], json!(state));
    }
    let (status, _) = server.call("POST", &format!("/v1/queue/{id}/return"), &Value::Null).await;
    assert_eq!(status, 200);
    assert_eq!(server.get("/v1/queue").await["items"], json!([]));
}

#[tokio::test]
async fn the_queue_is_filtered_and_acted_on_as_a_whole() {
    let server = Server::with_people().await;
    for n in 0..7 {
        send(&server, if n % 2 == 0 { "a@even.test" } else { "b@odd.test" }, n).await;
    }
    let odd = server.get("/v1/queue?domain=odd.test").await;
    assert_eq!(odd["items"].as_array().unwrap().len(), 3);
    let page = server.get("/v1/queue?limit=4").await;
    let next = page["next"].as_str().unwrap();
    let rest = server.get(&format!("/v1/queue?limit=4&after={next}")).await;
    assert_eq!(rest["items"].as_array().unwrap().len(), 3);
    let act = json!({ "act": "hold", "filter": { "recipient": "A@even.test", "limit": 3 } });
    let (status, held) = server.call("POST", "/v1/queue-acts", &act).await;
    assert_eq!((status, held["done"].as_array().unwrap().len()), (200, 3), "{held}");
    assert!(held["next"].is_string());
    assert_eq!(server.get("/v1/summary").await["held"], json!(3));
    let all = json!({ "act": "delete", "all": true });
    let (_, deleted) = server.call("POST", "/v1/queue-acts", &all).await;
    assert_eq!(deleted["done"].as_array().unwrap().len(), 7);
    assert_eq!(server.get("/v1/summary").await["queued"], json!(0));
}

#[tokio::test]
async fn a_trace_is_found_by_whatever_is_known() {
    let server = Server::with_people().await;
    let id = QueueId(send(&server, "bob@elsewhere.test", 1).await);
    for about in [
        id.to_string(),
        "%3Cm1@example.test%3E".into(),
        "m1@example.test".into(),
        "bob@elsewhere.test".into(),
        "Alice@example.test".into(),
    ] {
        let found = server.get(&format!("/v1/trace?about={about}")).await;
        assert_eq!(found["items"][0]["queue_id"], json!(id.to_string()), "{about}: {found}");
        let first = &found["items"][0]["events"][0];
        assert_eq!(first["event"], json!("received"), "{found}");
    }
    assert_eq!(server.get("/v1/trace?about=nobody@x.test").await["items"], json!([]));
}

#[tokio::test]
async fn maintenance_tells_of_itself_in_lines() {
    let server = Server::start().await;
    let (status, text) = server.text("POST", "/v1/store/verify", "").await;
    assert_eq!(status, 200);
    let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert_eq!(lines[0], json!({ "event": "step", "what": "Verify", "done": 1, "total": 2 }));
    assert_eq!((&lines[1]["event"], &lines[1]["checked"]), (&json!("done"), &json!(2)));
    let (_, text) = server.text("POST", "/v1/store/compact", "").await;
    let failed: Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!(failed["error"]["code"], json!("storage.busy"), "{text}");
}

#[tokio::test]
async fn health_and_description_are_there() {
    let server = Server::start().await;
    let health = server.get("/v1/health").await;
    assert_eq!(health["hostname"], json!("mail.example.test"));
    let (status, text) = server.text("GET", "/v1/openapi.yaml", "").await;
    assert!(status == 200 && text.starts_with("openapi: 3.1.0"));
    assert_eq!(server.text("GET", "/metrics", "").await.0, 200);
}
