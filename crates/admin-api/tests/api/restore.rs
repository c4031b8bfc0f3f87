//! Putting messages back, and the inventory that tells whether they are there.

use crate::server::Server;
use serde_json::{Value, json};

const MESSAGE: &str = "Subject: old\r\nMessage-ID: <old@example.test>\r\n\r\nbody\r\n";

async fn inventory(server: &Server, mailbox: &str) -> Vec<Value> {
    let path = format!("/v1/mailboxes/{mailbox}/inventory");
    let (status, text) = server.text("GET", &path, "").await;
    assert_eq!(status, 200, "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_message_comes_back_as_it_was() {
    let server = Server::with_people().await;
    let path = "/v1/mailboxes/alice/messages?folder=Old/2020&date=2020-02-03T04:05:06Z\
                &flags=%5CSeen,$Junk";
    let (status, text) = server.text("POST", path, MESSAGE).await;
    assert_eq!(status, 201, "{text}");
    let added: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&added["folder"], &added["uid"]), (&json!("Old/2020"), &json!(1)));
    // Larger than any other request may be, and more than one piece of it.
    let large = format!("Subject: large\r\n\r\n{}", "0123456789abcde\n".repeat(60_000));
    let (status, text) = server.text("POST", "/v1/mailboxes/alice/messages", &large).await;
    assert_eq!(status, 201, "{text}");
    let lines = inventory(&server, "alice").await;
    let message = lines.iter().find(|l| l["folder"] == "Old/2020" && l["line"] == "message");
    let expected = json!({
        "line": "message", "folder": "Old/2020", "uid": 1, "octets": MESSAGE.len(),
        "crc": format!("{:08x}", crc32c(MESSAGE.as_bytes())), "message_id": "old@example.test",
        "date": "2020-02-03T04:05:06.000Z", "flags": ["\\Seen", "$Junk"],
    });
    assert_eq!(message, Some(&expected));
    let large_one = lines.iter().find(|l| l["folder"] == "INBOX" && l["line"] == "message");
    let crc = format!("{:08x}", crc32c(large.as_bytes()));
    assert_eq!(large_one.map(|l| &l["crc"]), Some(&json!(crc)));
    // INBOX, five special ones, Old and Old/2020.
    let end = json!({ "line": "end", "folders": 8, "messages": 2 });
    assert_eq!(lines.last(), Some(&end));
}

#[tokio::test]
async fn what_cannot_be_put_back_is_refused() {
    let server = Server::with_people().await;
    let too_large = "x".repeat((1 << 20) + (9 << 10));
    for (path, body, status, code) in [
        ("alice/messages?folder=a//b", MESSAGE, 422, "api.invalid"),
        ("alice/messages?date=yesterday", MESSAGE, 422, "api.invalid"),
        ("alice/messages?flags=%5CWrong", MESSAGE, 422, "api.invalid"),
        ("alice/messages?flag=x", MESSAGE, 400, "api.bad-query"),
        ("alice/messages", "", 400, "api.bad-body"),
        ("alice/messages", &too_large, 413, "api.body-too-large"),
        ("nobody/messages", MESSAGE, 404, "directory.not-found"),
    ] {
        let (found, text) = server.text("POST", &format!("/v1/mailboxes/{path}"), body).await;
        let error: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((found, &error["error"]["code"]), (status, &json!(code)), "{path}: {text}");
    }
    assert_eq!(inventory(&server, "alice").await.last().unwrap()["messages"], json!(0));
    let (status, _) = server.text("GET", "/v1/mailboxes/nobody/inventory", "").await;
    assert_eq!(status, 404);
}

/// CRC-32C bit by bit, so that the test does not believe the library.
fn crc32c(octets: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
    !octets.iter().fold(!0, |crc, octet| (0..8).fold(crc ^ u32::from(*octet), step))
}
