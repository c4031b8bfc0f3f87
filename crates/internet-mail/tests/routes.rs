//! Which hosts get a message, and what their failures lead to.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // in helpers, too, a panic is a failed test

mod common;

use common::host::{self, Host, Say, polite, say};
use common::{World, policy, send};
use concord_internet_mail::{InternetMailConfig, PeerTls, SmartHost};
use concord_smtp::{RemoteAnswer, Reply};
use concord_testkit::{NameServer, Zone};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

fn at(host: u8, port: u16) -> SocketAddr {
    ([127, 0, 0, host], port).into()
}

/// `mx1.test` to `mx5.test` are 127.0.0.11 to 127.0.0.15.
fn names() -> Zone {
    let mut zone = Zone::default();
    for host in 1u8..=5 {
        zone.address(&format!("mx{host}.test"), at(10 + host, 0).ip());
    }
    zone.mx("two.test", 10, "mx1.test.").unwrap().mx("two.test", 20, "mx2.test.").unwrap();
    zone.mx("one.test", 10, "mx1.test.").unwrap();
    zone
}

/// A world with its names, and the first host.
async fn world(
    first: impl Fn(&str, usize) -> Say + Send + Sync + 'static,
    change: impl FnOnce(&mut InternetMailConfig),
) -> (World, NameServer, Host, u16) {
    let (address, host) = host::start(at(11, 0), first);
    let server = NameServer::start(at(1, 0), names()).unwrap();
    let world = World::start(|config| {
        config.remote_port = address.port();
        config.name_servers = vec![server.address()];
        change(config);
    })
    .await;
    (world, server, host, address.port())
}

fn healthy(line: &str, _: usize) -> Say {
    polite(line)
}

fn taken_by(reply: &Reply) -> String {
    RemoteAnswer::from_reply(reply).map(|answer| answer.host).unwrap_or_default()
}

/// Q182821
#[tokio::test]
async fn whatever_fails_before_the_message_leads_to_the_next_host() {
    let failures: [(&str, Say); 7] = [
        ("connected", Say::Close),
        ("connected", say("421 4.3.2 not now")),
        ("connected", say("554 5.3.2 not here")),
        ("MAIL", Say::Close),
        ("MAIL", say("451 4.3.0 my disk is full")),
        ("RCPT", Say::Close),
        ("RCPT", say("421 4.3.2 going down")),
    ];
    for (when, what) in failures {
        let failing = what.clone();
        let script = move |line: &str, _| match line.starts_with(when) {
            true => failing.clone(),
            false => polite(line),
        };
        let (world, _names, _first, port) = world(script, |_| {}).await;
        let (_, second) = host::start(at(12, port), healthy);
        let replies = send(&world, &["a@two.test"], b"x\r\n").await;
        assert!(replies[0].is_ok(), "{when} {what:?}: {}", replies[0]);
        assert_eq!(taken_by(&replies[0]), "mx2.test [127.0.0.12]", "{when} {what:?}");
        assert_eq!(second.heard("."), 1);
    }
}

#[tokio::test]
async fn a_verdict_on_the_message_is_the_last_word() {
    for (when, what) in [("MAIL", "550 5.7.1 not from you"), ("RCPT", "450 4.2.1 come again")] {
        let script = move |line: &str, _| match line.starts_with(when) {
            true => say(what),
            false => polite(line),
        };
        let (world, _names, _first, port) = world(script, |_| {}).await;
        let (_, second) = host::start(at(12, port), healthy);
        let replies = send(&world, &["a@two.test"], b"x\r\n").await;
        assert_eq!(replies[0].code.to_string(), what[..3], "{}", replies[0]);
        assert_eq!(taken_by(&replies[0]), "mx1.test [127.0.0.11]");
        assert_eq!(second.lines().len(), 0);
    }
}

/// T41, Q175982
#[tokio::test]
async fn a_host_that_never_greets_leaves_time_and_place_for_the_next() {
    let (world, _names, first, port) = world(
        |_, _| Say::Nothing,
        |config| {
            config.reach_time = Duration::from_secs(2);
            config.connections_per_destination = 1;
            config.connections_total = 1;
            config.messages_per_connection = 1;
        },
    )
    .await;
    host::start(at(12, port), healthy);
    let began = Instant::now();
    let replies = send(&world, &["a@two.test"], b"x\r\n").await;
    assert_eq!(taken_by(&replies[0]), "mx2.test [127.0.0.12]", "{}", replies[0]);
    let first_took = began.elapsed();
    assert!(first_took >= Duration::from_millis(900), "{first_took:?}");
    // The place is free again, and the silent host is remembered.
    let began = Instant::now();
    assert!(send(&world, &["a@two.test"], b"x\r\n").await[0].is_ok());
    assert!(began.elapsed() < Duration::from_millis(900), "{:?}", began.elapsed());
    assert_eq!(first.heard("EHLO"), 0);
}

#[tokio::test]
async fn a_route_names_hosts_in_order_and_changes_no_address() {
    let (world, _names, _first, port) = world(
        |_, _| Say::Close,
        |config| {
            let port = config.remote_port;
            config.policy = policy(&format!(
                "[[domain]]\nname = 'routed.test'\nroute = ['nowhere.test', 'mx1.test', \
                 '127.0.0.12:{port}', 'mx3.test']\n[[domain]]\nname = 'a.test'\nrewrite-to = \
                 'routed.test'\n"
            ));
        },
    )
    .await;
    let (_, second) = host::start(at(12, port), healthy);
    let replies = send(&world, &["x@sub.routed.test", "y@sub.routed.test"], b"x\r\n").await;
    assert!(replies.iter().all(Reply::is_ok), "{replies:?}");
    assert_eq!(taken_by(&replies[0]), "127.0.0.12 [127.0.0.12]");
    assert_eq!(second.heard("RCPT TO:<x@sub.routed.test>"), 1, "{:?}", second.lines());
    // T14: this one is told another domain.
    assert!(send(&world, &["x@a.test"], b"x\r\n").await[0].is_ok());
    assert_eq!(second.heard("RCPT TO:<x@routed.test>"), 1, "{:?}", second.lines());
}

/// Q258203
#[tokio::test]
async fn mailboxes_elsewhere_are_reached_at_the_domains_other_host() {
    let (world, _names, first, port) = world(healthy, |config| {
        config.smart_host = Some(SmartHost {
            host: "mx1.test".into(),
            port: config.remote_port,
            tls: PeerTls::Off,
            login: None,
        });
        config.policy =
            policy("[[local-domain]]\nname = 'split.test'\nelsewhere = { hosts = ['mx2.test'] }\n");
    })
    .await;
    let (_, second) = host::start(at(12, port), healthy);
    assert!(send(&world, &["old@split.test"], b"x\r\n").await[0].is_ok());
    assert!(send(&world, &["who@other.test"], b"x\r\n").await[0].is_ok());
    assert_eq!((second.heard("RCPT TO:<old@split.test>"), second.heard("RCPT")), (1, 1));
    assert_eq!((first.heard("RCPT TO:<who@other.test>"), first.heard("RCPT")), (1, 1));
}

/// Q267245
#[tokio::test]
async fn a_mistake_in_a_route_returns_no_mail() {
    let (world, _names, _first, _) = world(healthy, |config| {
        config.policy = policy(
            "[[domain]]\nname = 'a.test'\nroute = ['nowhere.test']\n[[domain]]\nname = \
             'b.test'\nroute = ['mx1.test']\nuser = 'us'\npassword-file = 'missing'\n",
        );
    })
    .await;
    for to in ["x@a.test", "x@b.test"] {
        let replies = send(&world, &[to], b"x\r\n").await;
        let expected = Reply::new(451, (4, 3, 5), "");
        assert_eq!((replies[0].code, replies[0].status), (451, expected.status), "{}", replies[0]);
    }
}

#[tokio::test]
async fn a_route_has_its_own_login() {
    let script = |line: &str, _| match line.split(' ').next() {
        Some("EHLO") => say("250-host.test\r\n250 AUTH PLAIN"),
        Some("AUTH") => match line.ends_with(" AHVzAGRlbW8=") {
            true => say("235 2.7.0 ok"),
            false => say("535 5.7.8 who?"),
        },
        _ => polite(line),
    };
    let (world, _names, first, _) = world(script, |config| {
        let root = config.core_socket.parent().unwrap().to_owned();
        std::fs::write(root.join("password"), "demo\n").unwrap();
        config.root = root;
        config.policy = policy(
            "[[domain]]\nname = 'a.test'\nroute = ['mx1.test']\nuser = 'us'\npassword-file = \
             'password'\n[[domain]]\nname = 'b.test'\nroute = ['mx1.test']\n",
        );
    })
    .await;
    assert!(send(&world, &["x@a.test"], b"x\r\n").await[0].is_ok());
    assert!(send(&world, &["x@b.test"], b"x\r\n").await[0].is_ok());
    assert_eq!((first.heard("AUTH"), first.heard("EHLO")), (1, 2), "{:?}", first.lines());
}

/// T44, Q260741
#[tokio::test]
async fn what_is_said_of_one_recipient_concerns_only_him() {
    let script = |line: &str, _| match line.starts_with("RCPT TO:<full@") {
        true => say("552 5.2.2 mailbox full"),
        false => polite(line),
    };
    let (world, _names, _first, _) = world(script, |_| {}).await;
    let replies = send(&world, &["full@one.test", "b@one.test"], b"x\r\n").await;
    assert_eq!((replies[0].code, replies[1].code), (552, 250), "{replies:?}");
}

/// Q176477
#[tokio::test]
async fn too_many_recipients_means_the_rest_later() {
    let script = |line: &str, _| match line.starts_with("RCPT TO:<late") {
        true => say("552 5.5.3 too many recipients"),
        false => polite(line),
    };
    let (world, _names, first, _) = world(script, |config| {
        config.policy = policy("[[domain]]\nname = 'mx1.test'\nrecipients = 2\n");
    })
    .await;
    let replies = send(&world, &["a@one.test", "late1@one.test"], b"x\r\n").await;
    assert_eq!((replies[0].code, replies[1].code), (250, 452), "{replies:?}");
    let to = ["a@mx1.test", "b@mx1.test", "c@mx1.test"];
    let replies = send(&world, &to, b"x\r\n").await;
    let codes: Vec<u16> = replies.iter().map(|reply| reply.code).collect();
    assert_eq!(codes, [250, 250, 452], "{replies:?}");
    assert_eq!(replies[2].status, Reply::new(452, (4, 5, 3), "").status);
    assert_eq!(first.heard("RCPT TO:<c@mx1.test>"), 0);
}

/// T52, Q257264
#[tokio::test]
async fn what_is_too_large_for_a_domain_is_told_limit_and_size() {
    let (world, _names, first, _) = world(healthy, |config| {
        config.policy = policy(
            "[outbound]\nsize-limit = '2000 B'\n[[domain]]\nname = 'one.test'\nsize-limit = '10 \
             B'\n",
        );
    })
    .await;
    let replies = send(&world, &["a@one.test"], &[b'x'; 20]).await;
    assert_eq!(replies[0].status, Reply::new(552, (5, 3, 4), "").status, "{}", replies[0]);
    assert!(replies[0].text.contains("10 octets; this one has 20"), "{}", replies[0]);
    assert_eq!(first.lines().len(), 0);
    assert!(send(&world, &["a@two.test"], b"x\r\n").await[0].is_ok());
}

/// Q266250
#[tokio::test]
async fn mail_leaves_from_the_address_that_the_policy_names() {
    let (world, _names, first, _) = world(healthy, |config| {
        config.policy = policy(
            "[outbound]\nsource-addresses = ['::1', '127.0.0.77']\n[[domain]]\nname = \
             'mx1.test'\nsource-addresses = ['192.0.2.77']\n",
        );
    })
    .await;
    assert!(send(&world, &["a@one.test"], b"x\r\n").await[0].is_ok());
    assert_eq!(first.clients(), [at(77, 0).ip()]);
    // One that is not ours is a mistake that somebody mends: the mail waits.
    let replies = send(&world, &["a@mx1.test"], b"x\r\n").await;
    assert_eq!(replies[0].code / 100, 4, "{}", replies[0]);
    let told = "source-addresses: 192.0.2.77 is no address of this machine";
    assert!(replies[0].text.contains(told), "{}", replies[0]);
}

/// Q152165
#[tokio::test]
async fn equal_hosts_share_the_mail() {
    let (world, names, first, port) =
        world(healthy, |config| config.messages_per_connection = 1).await;
    names.change(|zone| {
        zone.mx("equal.test", 10, "mx1.test.").unwrap().mx("equal.test", 10, "mx2.test.").unwrap();
    });
    let (_, second) = host::start(at(12, port), healthy);
    for _ in 0..24 {
        assert!(send(&world, &["a@equal.test"], b"x\r\n").await[0].is_ok());
    }
    // All at one of them: once in eight million runs.
    assert!(first.heard(".") > 0 && second.heard(".") > 0);
}

/// Q190366: a device that garbles EHLO.
#[tokio::test]
async fn a_host_behind_a_device_that_garbles_is_spoken_to_plainly() {
    for garbled in [Say::Close, say("XXX XXXXX"), say("500 5.5.1 command unrecognized: XXXX")] {
        let reply = garbled.clone();
        let script = move |line: &str, _| match line.split(' ').next() {
            Some("connected") => say("220 ****************************0*2*******"),
            Some("EHLO") => reply.clone(),
            _ => polite(line),
        };
        let (world, _names, first, _) = world(script, |_| {}).await;
        let replies = send(&world, &["a@one.test"], b"x\r\n").await;
        assert!(replies[0].is_ok(), "{garbled:?}: {}", replies[0]);
        let verbs: Vec<String> = first.lines();
        assert_eq!(first.heard("HELO mail.example.test"), 1, "{verbs:?}");
        // Q197183: nothing that the device might take for the message's end.
        assert_eq!(first.heard("NOOP"), 0, "{verbs:?}");
    }
}
