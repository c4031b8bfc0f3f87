//! What TLS is asked of other hosts, by the policy and by senders.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // in helpers, too, a panic is a failed test

mod common;

use bytes::Bytes;
use common::recorder::Recorder;
use common::{World, dns, mail, rcpt, remote_profile, start_remote};
use concord_mail_policy::{Live, Policy};
use concord_smtp::{Reply, TlsWish};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

const TO: &str = "a@one.test";

fn acceptor(name: &str) -> (TlsAcceptor, String) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(concord_tls::crypto_provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), made.cert.pem())
}

/// `one.test`, whose host has TLS with a certificate, or no TLS.
async fn world(policy: &str, certificate: Option<&str>, trusted: bool) -> (World, Recorder) {
    let mut profile = remote_profile();
    profile.extensions.starttls = certificate.is_some();
    let made = certificate.map(acceptor);
    let (tls, pem) = match made {
        Some((tls, pem)) => (Some(tls), pem),
        None => (None, String::new()),
    };
    let pem = if trusted { pem } else { acceptor("another.test").1 };
    let (address, recorder) = start_remote(([127, 0, 0, 2], 0).into(), profile, tls);
    let server = dns::start().await;
    let world = World::start(|config| {
        let file = config.core_socket.with_file_name("roots.pem");
        std::fs::write(&file, pem).unwrap();
        config.roots = concord_tls::Roots::File(file);
        config.name_servers = vec![server];
        config.remote_port = address.port();
        config.policy = Arc::new(Live::fixed(Policy::parse(policy).unwrap()));
    })
    .await;
    (world, recorder)
}

async fn send(world: &World, wish: Option<TlsWish>) -> Reply {
    let mut core = world.lmtp().await;
    let mut mail = mail();
    mail.tls = wish;
    let mut source = Some(Bytes::from_static(b"x\r\n"));
    let done = core.deliver(None, &mail, &[rcpt(TO)], &mut source).await.unwrap();
    done.rcpts[0].clone()
}

fn of_one(values: &str) -> String {
    format!("[[domain]]\nname = 'one.test'\n{values}\n")
}

#[tokio::test]
async fn what_the_policy_asks_for_is_what_happens() {
    let refused = |status: (u8, u16, u16), words| Some((status, words));
    for (values, certificate, trusted, refusal) in [
        ("", None, true, None),
        ("", Some("impostor.test"), false, None),
        ("tls = 'off'", Some("mx1.test"), true, None),
        ("tls = 'encrypt'", Some("impostor.test"), false, None),
        ("tls = 'encrypt'", None, true, refused((4, 7, 4), "does not offer TLS")),
        ("tls = 'verify'", Some("mx1.test"), true, None),
        (
            "tls = 'verify'",
            Some("mx1.test"),
            false,
            refused((4, 7, 5), "its issuer is not trusted"),
        ),
        (
            "tls = 'verify'",
            Some("impostor.test"),
            true,
            refused((4, 7, 5), "it is not for this name"),
        ),
        ("tls = 'verify'\ntls-names = ['gate.test']", Some("gate.test"), true, None),
        (
            "tls = 'verify'\ntls-names = ['gate.test']",
            Some("mx1.test"),
            true,
            refused((4, 7, 5), "it is not for this name"),
        ),
        // The name server of this test signs nothing.
        ("tls = 'dane'", Some("mx1.test"), true, refused((4, 7, 4), "do not pass DNSSEC on")),
    ] {
        let (world, recorder) = world(&of_one(values), certificate, trusted).await;
        let reply = send(&world, None).await;
        let case = format!("{values} {certificate:?} {trusted}: {reply}");
        match refusal {
            None => {
                assert!(reply.is_ok(), "{case}");
                let tls = certificate.is_some() && !values.contains("off");
                assert_eq!(recorder.tls_sessions(), usize::from(tls), "{case}");
            }
            Some((status, words)) => {
                assert_eq!((reply.code, reply.status), (451, Reply::new(451, status, "").status));
                assert!(reply.text.contains(words), "{case}");
                assert_eq!(recorder.messages(), 0, "{case}");
            }
        }
    }
}

/// RFC 8689
#[tokio::test]
async fn a_sender_can_insist_on_tls_or_waive_it() {
    let (world, recorder) = world("", Some("mx1.test"), true).await;
    let reply = send(&world, Some(TlsWish::Require)).await;
    assert_eq!((reply.code, reply.status), (550, Reply::new(550, (5, 7, 30), "").status));
    assert!(reply.text.contains("neither DNSSEC nor MTA-STS"), "{reply}");
    assert_eq!(recorder.messages(), 0);
    assert!(send(&world, Some(TlsWish::Optional)).await.is_ok());
    assert!(send(&world, None).await.is_ok());
    assert_eq!(recorder.messages(), 2);
}
