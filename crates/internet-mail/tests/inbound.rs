//! Clients in front, the core behind.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // in helpers, too, a panic is a failed test

mod common;

use base64::Engine as _;
use bytes::Bytes;
use common::recorder::{Recorder, message};
use common::{World, greeted, mail, rcpt, start_core};
use concord_smtp_tokio::{HelloVerb, Phase};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn messages_go_through_with_a_trace_line() {
    let world = World::start(|_| {}).await;
    let mut client = world.client().await;
    for size in [100, 70_000, 1_000_000] {
        let body = message(size);
        let rcpts = [rcpt("a@example.test"), rcpt("refused@example.test")];
        let mut source = Some(Bytes::from(body.clone()));
        let done = client.deliver(None, &mail(), &rcpts, &mut source).await.unwrap();
        let said: Vec<String> = done.rcpts.iter().map(ToString::to_string).collect();
        assert_eq!(said, ["250 2.6.0 taken", "550 5.1.1 no such mailbox"]);
        let seen = world.core.last();
        assert_eq!(seen.mail, "MAIL FROM:<sender@example.test>");
        let head = "Received: from client.example.test ([127.0.0.1])\r\n\
                    \tby mail.example.test (Concord) with ESMTP\r\n\tfor <a@example.test>;\r\n\t";
        let text = String::from_utf8_lossy(&seen.body);
        assert!(text.starts_with(head), "{}", &text[..300.min(text.len())]);
        assert!(seen.body.ends_with(&body), "{size}");
        let forward = seen.xforward.unwrap();
        assert_eq!(forward.addr.as_deref(), Some("127.0.0.1"));
        assert_eq!(forward.proto.as_deref(), Some("ESMTP"));
        assert_eq!(forward.helo.as_deref(), Some("client.example.test"));
        assert_eq!(forward.login, None);
    }
    assert_eq!(world.core.sessions.load(Ordering::SeqCst), 1, "one session serves all");
}

#[tokio::test]
async fn the_core_may_come_and_go() {
    let world = World::start(|_| {}).await;
    let mut client = world.client().await;
    let rcpts = [rcpt("a@example.test")];
    let mut send = async || {
        let mut source = Some(Bytes::from_static(b"x\r\n"));
        client.deliver(None, &mail(), &rcpts, &mut source).await.map(|d| d.rcpts[0].code)
    };
    assert_eq!(send().await, Ok(250));
    // Stopped and started: the idle session is found closed.
    world.core_stop.cancel();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let core = Recorder::default();
    let stop = start_core(&world.core_socket(), &core);
    assert_eq!(send().await, Ok(250));
    assert_eq!(core.messages(), 1);
    // Gone: the client is told to come again.
    stop.cancel();
    tokio::time::sleep(Duration::from_millis(50)).await;
    std::fs::remove_file(world.core_socket()).unwrap();
    assert_eq!(send().await, Ok(421));
}

#[tokio::test]
async fn a_looping_message_is_refused() {
    let world = World::start(|config| config.max_hops = 3).await;
    let mut client = world.client().await;
    for (hops, code) in [(3, 250), (4, 554)] {
        for end in ["\r\nbody\r\n", ""] {
            let body = format!("{}{end}", "Received: from x by y; now\r\n".repeat(hops));
            let mut source = Some(Bytes::from(body));
            let rcpts = [rcpt("a@example.test")];
            let done = client.deliver(None, &mail(), &rcpts, &mut source).await.unwrap();
            assert_eq!(done.rcpts[0].code, code, "{hops} {end:?}: {}", done.rcpts[0]);
        }
    }
    assert_eq!(world.core.messages(), 2);
}

#[tokio::test]
async fn users_log_in_at_the_core() {
    let world = World::start(|_| {}).await;
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let stream = TcpStream::connect(world.submission).await.unwrap();
    let mut client = greeted(stream, HelloVerb::Ehlo).await;
    assert_eq!(client.capabilities().auth, ["SCRAM-SHA-256", "PLAIN", "LOGIN"]);
    let refused = client.envelope(None, &mail(), &[rcpt("a@example.test")]).await.unwrap();
    assert_eq!(refused.mail.code, 530);
    let wrong = client.auth("alice", "wrong").await.unwrap_err();
    assert_eq!(wrong.reply().unwrap().code, 535);
    // A challenge of the core comes through, and so does the answer to it.
    let challenge = client.command("AUTH LOGIN", Phase::Auth).await.unwrap();
    assert_eq!((challenge.code, &*challenge.text), (334, &*encode("Username:")));
    assert_eq!(client.command("*", Phase::Auth).await.unwrap().code, 501);
    client.auth("alice", "demo").await.unwrap();
    let mut source = Some(Bytes::from_static(b"x\r\n"));
    let rcpts = [rcpt("a@example.test")];
    let done = client.deliver(None, &mail(), &rcpts, &mut source).await.unwrap();
    assert_eq!(done.rcpts[0].code, 250);
    let seen = world.core.last();
    assert!(String::from_utf8_lossy(&seen.body).contains("with ESMTPA"));
    client.quit(Duration::from_secs(1)).await;
    // The next client does not get that session.
    let before = world.core.sessions.load(Ordering::SeqCst);
    let mut other = world.client().await;
    let mut source = Some(Bytes::from_static(b"x\r\n"));
    other.deliver(None, &mail(), &rcpts, &mut source).await.unwrap();
    assert_eq!(world.core.sessions.load(Ordering::SeqCst), before + 1);
}

#[tokio::test]
async fn a_client_that_leaves_in_mid_auth_leaves_no_session_behind() {
    let world = World::start(|_| {}).await;
    let mut stream = TcpStream::connect(world.submission).await.unwrap();
    stream.write_all(b"EHLO c\r\nAUTH LOGIN\r\n").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(text.contains("\r\n334 "), "{text}");
    let mut client = world.client().await;
    let mut source = Some(Bytes::from_static(b"x\r\n"));
    let rcpts = [rcpt("a@example.test")];
    let done = client.deliver(None, &mail(), &rcpts, &mut source).await.unwrap();
    assert_eq!(done.rcpts[0].code, 250);
    assert_eq!(world.core.last().xforward.unwrap().addr.as_deref(), Some("127.0.0.1"));
    assert_eq!(world.core.sessions.load(Ordering::SeqCst), 2, "the first was not used again");
}

#[tokio::test]
async fn passwords_need_tls_unless_allowed() {
    let world = World::start(|config| config.require_auth_tls = true).await;
    let stream = TcpStream::connect(world.submission).await.unwrap();
    let mut client = greeted(stream, HelloVerb::Ehlo).await;
    assert!(client.capabilities().auth.is_empty());
    let reply = client.command("AUTH PLAIN AGFsaWNlAGRlbW8=", Phase::Auth).await.unwrap();
    assert_eq!(reply.code, 538);
}

#[tokio::test]
async fn sessions_of_one_client_are_bounded() {
    let world = World::start(|config| config.max_sessions_per_client = 2).await;
    let (_first, second) = (world.client().await, world.client().await);
    let mut third = TcpStream::connect(world.smtp).await.unwrap();
    let mut text = String::new();
    third.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "421 4.7.0 too many sessions, try again later\r\n");
    second.quit(Duration::from_secs(1)).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    world.client().await;
}

#[tokio::test]
async fn a_client_that_vanishes_leaves_nothing_behind() {
    let world = World::start(|_| {}).await;
    for part in [
        "DATA\r\nhalf a mess",
        "BDAT 100000\r\nhalf",
        "BDAT 6\r\nhalf\r\nBDAT 100\r\n",
        "RCPT TO:<b@example.test>\r\n",
    ] {
        let mut stream = TcpStream::connect(world.smtp).await.unwrap();
        let head = "EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@example.test>\r\n";
        stream.write_all(format!("{head}{part}").as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        assert!(text.contains("250 2.1.5"), "{text}");
    }
    assert_eq!(world.core.messages(), 0);
    let mut source = Some(Bytes::from_static(b"x\r\n"));
    let rcpts = [rcpt("a@example.test")];
    let mut client = world.client().await;
    client.deliver(None, &mail(), &rcpts, &mut source).await.unwrap();
    assert_eq!(world.core.all().len(), 1);
    assert_eq!(world.core.last().rcpts, ["<a@example.test>"]);
}

#[tokio::test]
async fn the_stop_lets_a_transaction_finish() {
    let world = World::start(|_| {}).await;
    let mut client = world.client().await;
    client.envelope(None, &mail(), &[rcpt("a@example.test")]).await.unwrap();
    world.stop.cancel();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!world.service.is_finished());
    client.begin_body(concord_smtp_tokio::BodyMode::Auto).await.unwrap();
    client.body(Bytes::from_static(b"x\r\n")).await.unwrap();
    assert_eq!(client.finish_body().await.unwrap()[0].code, 250);
    world.service.await.unwrap().unwrap();
    assert!(TcpStream::connect(world.smtp).await.is_err());
}
