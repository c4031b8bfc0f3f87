//! Limits, blocklists and greylisting, through real conversations.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

mod common;

use common::World;
use common::client::Client;
use concord_mail_policy::{Live, Policy};
use concord_testkit::{DnsTrouble, NameServer, Zone};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// This machine's own programs are not asked anything, unless a row says so.
const STRANGER: &str = "[[host]]\nnetwork = '127.0.0.0/8'\n[authentication]\nenabled = false\n";

async fn world(policy: &str, dns: &NameServer, state: Option<&Path>) -> World {
    let policy = Policy::parse(&format!("{STRANGER}{policy}")).unwrap();
    let (dns, state) = (dns.address(), state.map(Path::to_owned));
    World::start(|config| {
        config.policy = Arc::new(Live::fixed(policy));
        config.name_servers = vec![dns];
        config.state = state;
    })
    .await
}

fn dns(zone: Zone) -> NameServer {
    NameServer::start("127.0.0.1:0".parse().unwrap(), zone).unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// T17: Q166584. A flood is answered at once, with the reason, and nobody's name
/// is looked up for it.
#[tokio::test]
async fn connections_beyond_the_limit_hear_421_without_a_lookup() {
    let server = dns(Zone::default());
    let limit = "[[limit]]\nper = 'host'\nof = 'connections'\nmost = 3\nwithin = '1 h'\n\
                 [[blocklist]]\nzone = 'list.test'\n";
    let world = world(limit, &server, None).await;
    for _ in 0..3 {
        let (_, greeting) = Client::connect(world.smtp).await;
        assert!(greeting.starts_with("220"), "{greeting}");
    }
    let (mut refused, greeting) = Client::connect(world.smtp).await;
    assert!(
        greeting.starts_with("421 4.7.0 more than 3 connections of one host within 1 h; come"),
        "{greeting}"
    );
    assert_eq!(refused.reply().await, "", "the connection is closed");
    assert_eq!(server.questions(), 0);
    // A neighbour is not concerned.
    let (_, greeting) = Client::connect_from(address("127.0.0.9"), world.smtp).await;
    assert!(greeting.starts_with("220"), "{greeting}");
}

#[tokio::test]
async fn messages_and_recipients_beyond_a_limit_come_again_later() {
    let server = dns(Zone::default());
    let limits = "[[limit]]\nper = 'domain'\nof = 'messages'\nmost = 1\nwithin = '1 h'\n\
                  [[limit]]\nper = 'network'\nof = 'recipients'\nmost = 2\nwithin = '1 d'\n";
    let world = world(limits, &server, None).await;
    let mut client = Client::hello(world.smtp).await;
    assert!(client.say("MAIL FROM:<a@One.test>").await.starts_with("250"));
    assert!(client.say("RCPT TO:<a@example.test>").await.starts_with("250"));
    assert!(client.say("RCPT TO:<b@example.test>").await.starts_with("250"));
    let third = client.say("RCPT TO:<c@example.test>").await;
    assert!(third.starts_with("450 4.7.0 more than 2 recipients of one network"), "{third}");
    assert!(client.say("DATA").await.starts_with("354"), "who was taken gets it");
    client.say("Subject: x\r\n\r\nx\r\n.").await;
    let second = client.say("MAIL FROM:<b@one.test>").await;
    assert!(second.starts_with("450 4.7.0 more than 1 messages of one sender"), "{second}");
    assert!(client.say("MAIL FROM:<b@two.test>").await.starts_with("250"));
    assert_eq!(world.core.messages(), 1);
    assert_eq!(world.core.all()[0].rcpts.len(), 2);
}

#[tokio::test]
async fn failed_logins_and_messages_of_users_are_counted() {
    let server = dns(Zone::default());
    let limits = "[inbound]\nauthentication = true\n\
                  [[limit]]\nper = 'host'\nof = 'failed-logins'\nmost = 1\nwithin = '1 h'\n\
                  [[limit]]\nper = 'user'\nof = 'messages'\nmost = 1\nwithin = '1 h'\n";
    let world = world(limits, &server, None).await;
    let mut user = Client::hello(world.submission).await;
    let login = user.say("AUTH PLAIN AGFsaWNlAGRlbW8=").await;
    assert!(login.starts_with("235"), "{login}");
    assert!(user.say("MAIL FROM:<alice@example.test>").await.starts_with("250"));
    user.say("RSET").await;
    let second = user.say("MAIL FROM:<alice@example.test>").await;
    assert!(second.starts_with("450 4.7.0 more than 1 messages of one user"), "{second}");
    let mut stranger = Client::hello(world.submission).await;
    assert!(stranger.say("AUTH PLAIN AGFsaWNlAHdyb25n").await.starts_with("535"));
    let again = stranger.say("AUTH PLAIN AGFsaWNlAGRlbW8=").await;
    assert!(again.starts_with("454 4.7.0 more than 1 failed logins"), "{again}");
}

/// RFC 5782 section 5: every list has 127.0.0.2.
#[tokio::test]
async fn a_listed_host_is_refused_deferred_or_marked_with_the_lists_reason() {
    let mut zone = Zone::default();
    for list in ["bad", "slow", "note"] {
        zone.address(&format!("2.0.0.127.{list}.test"), address("127.0.0.2"));
    }
    zone.txt("2.0.0.127.bad.test", "Blocked - see https://bad.test/?127.0.0.2");
    zone.address("3.0.0.127.slow.test", address("127.0.0.2"));
    zone.address("4.0.0.127.note.test", address("127.0.0.10"));
    zone.address("5.0.0.127.bad.test", address("127.255.255.254"));
    zone.trouble("5.0.0.127.slow.test", DnsTrouble::ServFail);
    let server = dns(zone);
    let lists = "[[blocklist]]\nzone = 'note.test'\naction = 'mark'\n\
                 [[blocklist]]\nzone = 'slow.test'\naction = 'defer'\n\
                 [[blocklist]]\nzone = 'bad.test'\n";
    let world = world(lists, &server, None).await;
    let mut client = Client::hello_from(address("127.0.0.2"), world.smtp).await;
    client.say("MAIL FROM:<a@b.test>").await;
    assert_eq!(
        client.say("RCPT TO:<bob@example.test>").await,
        "550 5.7.1 127.0.0.2 is listed by bad.test: Blocked - see https://bad.test/?127.0.0.2\r\n"
    );
    let before = server.questions();
    assert!(client.say("RCPT TO:<bob@example.test>").await.starts_with("550"));
    assert_eq!(server.questions(), before, "lists are asked once in a session");
    // Whoever is listed wrongly can say so.
    let postmaster = client.say("RCPT TO:<Postmaster@example.test>").await;
    assert!(postmaster.starts_with("250"), "{postmaster}");

    let mut client = Client::hello_from(address("127.0.0.3"), world.smtp).await;
    client.say("MAIL FROM:<a@b.test>").await;
    let deferred = client.say("RCPT TO:<bob@example.test>").await;
    assert_eq!(deferred, "450 4.7.1 127.0.0.3 is listed by slow.test\r\n");

    for (from, mark) in [("127.0.0.4", true), ("127.0.0.5", false)] {
        let mut client = Client::hello_from(address(from), world.smtp).await;
        client.say("MAIL FROM:<a@b.test>").await;
        assert!(client.say("RCPT TO:<bob@example.test>").await.starts_with("250"), "{from}");
        client.say("DATA").await;
        assert!(client.say("Subject: x\r\n\r\nx\r\n.").await.starts_with("250"));
        let text = String::from_utf8(world.core.last().body).unwrap();
        let field = format!("X-Blocklist: {from} in note.test (127.0.0.10)\r\nSubject: x\r\n");
        assert_eq!(text.contains(&field), mark, "{text}");
    }
}

/// Mail flows although a list is dead: it waits once for it, and not for long.
#[tokio::test]
async fn a_dead_list_lists_nobody() {
    let mut zone = Zone::default();
    zone.trouble("2.0.0.127.dead.test", DnsTrouble::Silence);
    let server = dns(zone);
    let world = world("[[blocklist]]\nzone = 'dead.test'\n", &server, None).await;
    let mut client = Client::hello_from(address("127.0.0.2"), world.smtp).await;
    client.say("MAIL FROM:<a@b.test>").await;
    let before = Instant::now();
    assert!(client.say("RCPT TO:<bob@example.test>").await.starts_with("250"));
    assert!(before.elapsed() < Duration::from_secs(8), "{:?}", before.elapsed());
}

async fn try_to_send(world: &World, from: &str, to: &str) -> String {
    let mut client = Client::hello(world.smtp).await;
    client.say(&format!("MAIL FROM:<{from}>")).await;
    client.say(&format!("RCPT TO:<{to}>")).await
}

#[tokio::test]
async fn a_stranger_comes_again_and_is_known_across_restarts() {
    let server = dns(Zone::default());
    let kept = tempfile::tempdir().unwrap();
    let state = kept.path().join("internet-mail");
    let policy = "[greylisting]\nenabled = true\ndelay = '1 s'\n";
    let first = world(policy, &server, Some(&state)).await;
    let reply = try_to_send(&first, "a@b.test", "bob@example.test").await;
    assert!(reply.starts_with("450 4.7.1 127.0.0.1 is not known here yet, come again in 1 s"));
    assert!(try_to_send(&first, "a@b.test", "postmaster@example.test").await.starts_with("250"));
    first.stop.cancel();
    first.service.await.unwrap().unwrap();

    tokio::time::sleep(Duration::from_millis(1100)).await;
    let second = world(policy, &server, Some(&state)).await;
    assert!(try_to_send(&second, "a@b.test", "bob@example.test").await.starts_with("250"));
    let other = try_to_send(&second, "c@d.test", "ann@example.test").await;
    assert!(other.starts_with("250"), "the host is known now: {other}");
    second.stop.cancel();
    second.service.await.unwrap().unwrap();

    // A damaged file costs a second attempt, and no service.
    let file = state.join("greylist");
    let mut octets = std::fs::read(&file).unwrap();
    octets.truncate(octets.len() - 3);
    std::fs::write(&file, octets).unwrap();
    let third = world(policy, &server, Some(&state)).await;
    let reply = try_to_send(&third, "c@d.test", "ann@example.test").await;
    assert!(reply.starts_with("450 4.7.1"), "{reply}");
}

/// Who asks whether a sender exists goes no further than RCPT, and is answered.
#[tokio::test]
async fn the_null_path_waits_at_data_and_users_never() {
    let server = dns(Zone::default());
    let policy = "[inbound]\nauthentication = true\n[greylisting]\nenabled = true\ndelay = '1 s'\n";
    let world = world(policy, &server, None).await;
    assert!(try_to_send(&world, "", "bob@example.test").await.starts_with("250"));
    let mut client = Client::hello(world.smtp).await;
    client.say("MAIL FROM:<>").await;
    client.say("RCPT TO:<bob@example.test>").await;
    let data = client.say("DATA").await;
    assert!(data.starts_with("450 4.7.1"), "{data}");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let mut client = Client::hello(world.smtp).await;
    client.say("MAIL FROM:<>").await;
    client.say("RCPT TO:<bob@example.test>").await;
    assert!(client.say("DATA").await.starts_with("354"));

    let mut user = Client::hello_from(address("127.1.0.1"), world.smtp).await;
    assert!(user.say("AUTH PLAIN AGFsaWNlAGRlbW8=").await.starts_with("235"));
    user.say("MAIL FROM:<alice@example.test>").await;
    assert!(user.say("RCPT TO:<bob@example.test>").await.starts_with("250"));
}
