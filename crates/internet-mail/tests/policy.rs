//! The policy at the front door, changed while the service runs.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

mod common;

use common::World;
use common::client::Client;
use concord_internet_mail::{Seen, Wanted};
use concord_mail_policy::Live;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

async fn world(file: &std::path::Path) -> World {
    let live = Arc::new(Live::open(file).unwrap());
    World::start(|config| config.policy = live).await
}

/// Waits until a session begun now is greeted so.
async fn greeted_with(world: &World, code: &str) -> Client {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let (client, greeting) = Client::connect(world.smtp).await;
        if greeting.starts_with(code) {
            return client;
        }
        assert!(Instant::now() < until, "{greeting}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// T16, T22: Q155920, Q285860. A change takes effect without a restart, and so
/// does its removal.
#[tokio::test]
async fn a_host_is_refused_and_let_in_again_without_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("internet-mail.toml");
    let world = world(&file).await;
    greeted_with(&world, "220").await;
    let text = "[[host]]\nnetwork = '127.0.0.1'\naction = 'reject'\nreply = 'go away'\n";
    std::fs::write(&file, text).unwrap();
    greeted_with(&world, "554").await;
    let (_, greeting) = Client::connect(world.smtp).await;
    assert_eq!(greeting, "554 5.7.1 go away\r\n");
    // A file with a mistake changes nothing.
    std::fs::write(&file, "[[host]]\nnetwork = 'nonsense'\n").unwrap();
    tokio::time::sleep(Duration::from_millis(1200)).await;
    greeted_with(&world, "554").await;
    std::fs::write(&file, "").unwrap();
    greeted_with(&world, "220").await;
}

#[tokio::test]
async fn senders_hosts_and_modes_are_judged_before_the_core_is_asked() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("internet-mail.toml");
    let text = "[inbound]\nsize-limit = '1000 B'\nauthentication = true\n\
                [[sender]]\nfrom = '@spam.test'\n\
                [[sender]]\nfrom = '.'\nto = ['quiet@example.test']\n";
    std::fs::write(&file, text).unwrap();
    let world = world(&file).await;
    let mut client = greeted_with(&world, "220").await;
    let offered = client.say("EHLO client.test").await;
    assert!(offered.contains("SIZE 1000\r\n"), "{offered}");
    assert!(offered.contains("AUTH "), "{offered}");
    let refused = client.say("MAIL FROM:<x@sub.spam.test>").await;
    assert!(refused.starts_with("550 5.7.1"), "{refused}");
    assert!(client.say("MAIL FROM:<>").await.starts_with("250"));
    let refused = client.say("RCPT TO:<quiet@example.test>").await;
    assert!(refused.starts_with("550 5.7.1"), "{refused}");
    assert!(client.say("RCPT TO:<bob@example.test>").await.starts_with("250"));
    client.say("RSET").await;
    std::fs::write(&file, "mode = 'drain'\n").unwrap();
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let refused = client.say("MAIL FROM:<a@b.test>").await;
    assert!(refused.starts_with("450 4.3.2"), "{refused}");
}

#[tokio::test]
async fn who_is_refused_waits_for_the_answer() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("internet-mail.toml");
    let wait = Duration::from_millis(300);
    let text = "[inbound]\ntarpit = '300 ms'\n[[sender]]\nfrom = '@spam.test'\n\
                [[sender]]\nfrom = '@other.test'\nto = ['quiet@example.test']\n";
    std::fs::write(&file, text).unwrap();
    let world = world(&file).await;
    let mut client = greeted_with(&world, "220").await;
    client.say("EHLO client.test").await;
    for (line, code) in [
        ("MAIL FROM:<x@spam.test>", "550 5.7.1"),
        ("MAIL FROM:<x@other.test>", "250"),
        ("RCPT TO:<quiet@example.test>", "550 5.7.1"),
    ] {
        let asked = Instant::now();
        let answer = client.say(line).await;
        assert!(answer.starts_with(code), "{line}: {answer}");
        assert!(code == "250" || asked.elapsed() >= wait, "{line}: {:?}", asked.elapsed());
    }
}

/// T37: Q239816. Who looks sees the conversation line by line, as it was said,
/// and no password.
#[tokio::test]
async fn a_conversation_can_be_watched_and_hides_passwords() {
    let world = World::start(|config| {
        let policy = concord_mail_policy::Policy::parse("[inbound]\nauthentication = true\n");
        config.policy = Arc::new(Live::fixed(policy.unwrap()));
    })
    .await;
    let mut watch = UnixStream::connect(world.dir.path().join("watch.sock")).await.unwrap();
    let wanted = Wanted { domain: Some("Example.test".into()), ..Wanted::default() };
    let line = serde_json::to_string(&wanted).unwrap() + "\n";
    watch.write_all(line.as_bytes()).await.unwrap();
    let mut watch = BufReader::new(watch);
    let mut line = String::new();
    watch.read_line(&mut line).await.unwrap();
    assert_eq!(line, "{}\n");
    let mut other = greeted_with(&world, "220").await;
    other.say("EHLO elsewhere.test").await;
    let mut client = greeted_with(&world, "220").await;
    client.say("EHLO client.test").await;
    client.say("RCPT TO:<bob@example.test>").await;
    client.say("MAIL FROM:<RE:33%s5%n99>").await;
    client.say("AUTH PLAIN AGFsaWNlAHNlY3JldA==").await;
    client.say("QUIT").await;
    let mut seen = Vec::new();
    while !seen.iter().any(|s: &Seen| s.line.starts_with("221")) {
        let mut line = String::new();
        let read = watch.read_line(&mut line);
        tokio::time::timeout(Duration::from_secs(10), read).await.unwrap().unwrap();
        seen.push(serde_json::from_str(&line).unwrap());
    }
    let lines: Vec<&str> = seen.iter().map(|s| s.line.as_str()).collect();
    assert!(lines[0].starts_with("RCPT TO:<bob@example.test>"), "{lines:?}");
    assert!(lines.contains(&"AUTH PLAIN (not shown)"), "{lines:?}");
    assert!(lines.contains(&"MAIL FROM:<RE:33%s5%n99>"), "{lines:?}");
    assert!(!lines.concat().contains("AGFs"), "{lines:?}");
    assert!(seen.iter().all(|s| s.side == "in" && s.conversation == seen[0].conversation));
}
