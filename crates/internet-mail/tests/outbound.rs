//! From the core's LMTP to remote hosts.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // in helpers, too, a panic is a failed test

mod common;

use bytes::Bytes;
use common::recorder::{Recorder, message};
use common::{World, dns, mail, rcpt, remote_profile, send, start_remote};
use concord_base::EnhancedStatus;
use concord_internet_mail::{PeerTls, SmartHost, SmartHostLogin};
use concord_smtp::{RemoteAnswer, Reply};
use concord_smtp_tokio::ServerProfile;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio_rustls::TlsAcceptor;

struct Net {
    world: World,
    mx1: Recorder,
    mx2: Recorder,
}

fn at(host: u8, port: u16) -> SocketAddr {
    ([127, 0, 0, host], port).into()
}

async fn net(first: ServerProfile, tls: Option<TlsAcceptor>) -> Net {
    let (address, mx1) = start_remote(at(2, 0), first, tls);
    let port = address.port();
    let (_, mx2) = start_remote(at(3, port), remote_profile(), None);
    let server = dns::start().await;
    let world = World::start(|config| {
        config.remote_port = port;
        config.name_servers = vec![server];
    })
    .await;
    Net { world, mx1, mx2 }
}

#[tokio::test]
async fn the_best_host_gets_it_and_its_words_come_back() {
    let net = net(remote_profile(), None).await;
    for size in [50, 500_000] {
        let to = ["a@two.test", "refused@two.test", "b@two.test"];
        let body = message(size);
        let replies = send(&net.world, &to, &body).await;
        let answers: Vec<RemoteAnswer> =
            replies.iter().map(|r| RemoteAnswer::from_reply(r).unwrap()).collect();
        assert_eq!(answers[0].host, "mx1.test [127.0.0.2]");
        assert_eq!(answers[0].reply, Reply::new(250, (2, 6, 0), "taken"));
        assert_eq!(answers[1].reply, Reply::new(550, (5, 1, 1), "no such mailbox"));
        assert!(answers[2].dsn && answers[2].reply.is_ok());
        assert!(net.mx1.last().body == body);
        assert_eq!(net.mx1.last().rcpts, ["<a@two.test>", "<b@two.test>"]);
    }
    assert_eq!(net.mx2.messages(), 0);
    assert_eq!(net.mx1.sessions.load(Ordering::SeqCst), 1, "the connection is used again");
}

#[tokio::test]
async fn the_next_host_is_tried_and_the_implicit_one_found() {
    let net = net(remote_profile(), None).await;
    for (to, count) in [("a@fallback.test", 1), ("a@implicit.test", 2), ("a@[127.0.0.3]", 3)] {
        let replies = send(&net.world, &[to], b"x\r\n").await;
        assert!(replies[0].is_ok(), "{to}: {}", replies[0]);
        assert_eq!(net.mx2.messages(), count);
    }
    let replies = send(&net.world, &["a@backup.test"], b"x\r\n").await;
    assert!(replies[0].is_ok() && net.mx1.messages() == 1, "a better host than us is used");
}

#[tokio::test]
async fn what_cannot_be_reached_has_its_status() {
    let net = net(remote_profile(), None).await;
    for (domain, code, status) in [
        ("nothing.test", 550, (5, 1, 2)),
        ("empty.test", 550, (5, 4, 4)),
        ("noaddress.test", 550, (5, 4, 4)),
        ("null.test", 556, (5, 1, 10)),
        ("loop.test", 554, (5, 4, 6)),
        ("broken.test", 451, (4, 4, 3)),
        ("allgone.test", 451, (4, 4, 1)),
        ("[127.0.0.9]", 451, (4, 4, 1)),
    ] {
        let replies = send(&net.world, &[&format!("a@{domain}")], b"x\r\n").await;
        let status = Reply::new(code, status, "").status;
        assert_eq!((replies[0].code, replies[0].status), (code, status), "{}", replies[0]);
        assert_eq!(RemoteAnswer::from_reply(&replies[0]), None, "these are our own words");
    }
}

/// T46, Q285023
#[tokio::test]
async fn a_changed_record_is_used_when_its_time_is_over() {
    let (address, mx1) = start_remote(at(2, 0), remote_profile(), None);
    let (_, mx2) = start_remote(at(3, address.port()), remote_profile(), None);
    let (server, moving) = dns::start_moving().await;
    let world = World::start(|config| {
        config.remote_port = address.port();
        config.name_servers = vec![server];
        config.messages_per_connection = 1;
    })
    .await;
    assert!(send(&world, &["a@moving.test"], b"x\r\n").await[0].is_ok());
    moving.store(3, Ordering::SeqCst);
    assert!(send(&world, &["a@moving.test"], b"x\r\n").await[0].is_ok());
    assert_eq!((mx1.messages(), mx2.messages()), (2, 0), "its second is not over");
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert!(send(&world, &["a@moving.test"], b"x\r\n").await[0].is_ok());
    assert_eq!((mx1.messages(), mx2.messages()), (2, 1));
}

/// T47, Q146795
#[tokio::test]
async fn a_chain_of_names_has_an_end() {
    let taken = net(remote_profile(), None).await;
    let replies = send(&taken.world, &["a@chain6.test"], b"x\r\n").await;
    assert!(replies[0].is_ok(), "six names are followed: {}", replies[0]);
    // With a cache of its own: what is known there shortens a chain.
    let refused = net(remote_profile(), None).await;
    let replies = send(&refused.world, &["a@chain3.test"], b"x\r\n").await;
    assert_eq!((replies[0].code, replies[0].status), status(550, (5, 4, 4)), "{}", replies[0]);
}

#[tokio::test]
async fn a_host_of_the_old_kind() {
    let mut old = remote_profile();
    old.extensions = Default::default();
    let net = net(old, None).await;
    let replies = send(&net.world, &["a@one.test"], b"Subject: x\r\n\r\n.\r\n").await;
    let answer = RemoteAnswer::from_reply(&replies[0]).unwrap();
    assert!(answer.reply.is_ok() && !answer.dsn);
    assert_eq!(net.mx1.last().body, b"Subject: x\r\n\r\n.\r\n");
    let replies = send(&net.world, &["a@one.test"], "Subject: x\r\n\r\nü\r\n".as_bytes()).await;
    assert_eq!(replies[0].status, Reply::new(554, (5, 6, 3), "").status);
    let replies = send(&net.world, &["jürgen@one.test", "a@one.test"], b"x\r\n").await;
    assert_eq!(replies[0].status, Reply::new(553, (5, 6, 7), "").status);
    assert!(replies[1].is_ok());
    assert_eq!(net.mx1.messages(), 2);
}

#[tokio::test]
async fn one_session_carries_messages_to_many_domains() {
    let net = net(remote_profile(), None).await;
    let mut core = net.world.lmtp().await;
    for to in ["a@one.test", "a@implicit.test", "a@nothing.test", "a@one.test"] {
        let mut source = Some(Bytes::from_static(b"x\r\n"));
        let done = core.deliver(None, &mail(), &[rcpt(to)], &mut source).await.unwrap();
        assert_eq!(done.rcpts[0].is_ok(), to != "a@nothing.test");
    }
    assert_eq!((net.mx1.messages(), net.mx2.messages()), (2, 1));
}

#[tokio::test]
async fn a_busy_destination_does_not_hold_up_another() {
    // A listener that never greets.
    let silent = std::net::TcpListener::bind("127.0.0.2:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let (_, mx2) = start_remote(at(3, port), remote_profile(), None);
    let server = dns::start().await;
    let world = World::start(|config| {
        config.remote_port = port;
        config.name_servers = vec![server];
        config.connections_per_destination = 2;
        config.connections_total = 4;
    })
    .await;
    let stuck = async {
        tokio::join!(
            send(&world, &["a@one.test"], b"x\r\n"),
            send(&world, &["a@one.test"], b"x\r\n"),
            send(&world, &["a@one.test"], b"x\r\n"),
            send(&world, &["a@one.test"], b"x\r\n"),
        )
    };
    let quick = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        send(&world, &["a@implicit.test"], b"x\r\n").await
    };
    tokio::select! {
        _ = stuck => panic!("the silent host answered"),
        replies = quick => assert!(replies[0].is_ok()),
    }
    assert_eq!(mx2.messages(), 1);
}

fn acceptor(name: &str) -> (TlsAcceptor, String) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let server = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    (Arc::new(server).into(), made.cert.pem())
}

#[tokio::test]
async fn tls_is_used_where_it_is_offered() {
    let (acceptor, _) = acceptor("somebody.else.test");
    let mut profile = remote_profile();
    profile.extensions.starttls = true;
    let net = net(profile, Some(acceptor)).await;
    for _ in 0..2 {
        let replies = send(&net.world, &["a@one.test"], b"x\r\n").await;
        assert!(replies[0].is_ok(), "{}", replies[0]);
    }
    assert_eq!(net.mx1.messages(), 2);
    assert_eq!(net.mx1.tls_sessions(), 1);
}

async fn smart(profile: ServerProfile, cert_name: &str, tls: PeerTls) -> (World, Recorder) {
    let (acceptor, pem) = acceptor(cert_name);
    let (address, recorder) = start_remote(at(2, 0), profile, Some(acceptor));
    let server = dns::start().await;
    let world = World::start(|config| {
        let file = config.core_socket.with_file_name("roots.pem");
        std::fs::write(&file, pem).unwrap();
        config.roots = concord_tls::Roots::File(file);
        config.name_servers = vec![server];
        let login = SmartHostLogin { user: "alice".into(), password: "demo".into() };
        config.smart_host = Some(SmartHost {
            host: "mx1.test".into(),
            port: address.port(),
            tls,
            login: Some(login),
        });
    })
    .await;
    (world, recorder)
}

fn status(code: u16, status: (u8, u16, u16)) -> (u16, Option<EnhancedStatus>) {
    (code, Reply::new(code, status, "").status)
}

#[tokio::test]
async fn a_smart_host_that_does_not_exist_bounces_nothing() {
    let server = dns::start().await;
    let world = World::start(|config| {
        config.name_servers = vec![server];
        config.smart_host = Some(SmartHost {
            host: "nowhere.test".into(),
            port: 25,
            tls: PeerTls::Off,
            login: None,
        });
    })
    .await;
    let replies = send(&world, &["a@one.test"], b"x\r\n").await;
    assert_eq!((replies[0].code, replies[0].status), status(451, (4, 3, 5)), "{}", replies[0]);
}

#[tokio::test]
async fn a_smart_host_takes_everything_after_login() {
    let mut profile = remote_profile();
    profile.extensions.starttls = true;
    profile.extensions.auth = true;
    profile.require_auth = true;
    profile.mechanisms = vec!["PLAIN".into()];
    let (world, recorder) = smart(profile.clone(), "mx1.test", PeerTls::Required).await;
    for to in ["a@one.test", "b@nowhere.test"] {
        let replies = send(&world, &[to], b"x\r\n").await;
        assert!(replies[0].is_ok(), "{}", replies[0]);
    }
    assert_eq!((recorder.messages(), recorder.tls_sessions()), (2, 1));

    let (world, recorder) = smart(profile.clone(), "impostor.test", PeerTls::Required).await;
    let replies = send(&world, &["a@one.test"], b"x\r\n").await;
    assert_eq!(replies[0].status, Reply::new(451, (4, 7, 5), "").status, "{}", replies[0]);
    assert_eq!(recorder.messages(), 0);

    let mut other = profile.clone();
    other.mechanisms = vec!["LOGIN".into()];
    let (world, recorder) = smart(other, "mx1.test", PeerTls::Required).await;
    let replies = send(&world, &["a@one.test"], b"x\r\n").await;
    // The recorder's LOGIN always ends in 535: ours to mend, not the sender's.
    assert_eq!((replies[0].code, replies[0].status), status(451, (4, 3, 5)), "{}", replies[0]);
    assert!(replies[0].text.contains("535 5.7.8 wrong name"), "{}", replies[0]);
    assert_eq!(recorder.messages(), 0);

    profile.extensions.starttls = false;
    profile.auth_needs_tls = false;
    let (world, recorder) = smart(profile, "mx1.test", PeerTls::Required).await;
    let replies = send(&world, &["a@one.test"], b"x\r\n").await;
    assert_eq!(replies[0].status, Reply::new(451, (4, 7, 4), "").status, "{}", replies[0]);
    assert_eq!(recorder.messages(), 0);
}
