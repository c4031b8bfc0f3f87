//! Messages both ways with each peer, every one under TLS to a host that has
//! shown who it is.
//!
//! Out: half of them go to a domain under DANE, half to one under MTA-STS; the
//! peer takes nothing in the clear. In: Postfix and Exim go by DANE only,
//! OpenSMTPD asks for a certificate of a trusted authority. The suite sends
//! 50 each way; `cargo xtask peers` sends 500.

use super::{World, connector_log, explained, last_lines};
use crate::ALICE;
use concord_testkit::{PeerKind, Result, Sample, Smtp, header_value, trouble, wait_until};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

/// For a debug build on two busy cores.
const LIMIT: Duration = Duration::from_secs(180);
const SENDER: &str = "sender@dane.peer.test";

fn messages() -> usize {
    std::env::var("CONCORD_EXCHANGE").ok().and_then(|n| n.parse().ok()).unwrap_or(50)
}

/// Sizes as mail has them: most are small.
fn size(n: usize) -> usize {
    match n {
        n if n % 100 == 99 => 1 << 20,
        n if n % 10 == 9 => 100 << 10,
        n => 1_024 + n % 20 * 1_000,
    }
}

fn sample(n: usize, from: &str, to: &str) -> Sample {
    let mut sample = Sample::new(&format!("{n}.{to}"), from, to).size(size(n));
    sample.seed = n as u64;
    if n.is_multiple_of(2) { sample.eight_bit() } else { sample }
}

fn outward(n: usize) -> String {
    let domain = if n.is_multiple_of(2) { "dane.peer.test" } else { "sts.plain.test" };
    format!("user{n}@{domain}")
}

fn inward(_: usize) -> String {
    ALICE.to_owned()
}

fn send_all(
    at: SocketAddr,
    login: Option<&str>,
    from: &str,
    to: fn(usize) -> String,
) -> Result<()> {
    const SESSIONS: usize = 4;
    let workers: Vec<_> = (0..SESSIONS)
        .map(|worker| {
            let (login, from) = (login.map(str::to_owned), from.to_owned());
            std::thread::spawn(move || -> Result<()> {
                let mut session = Smtp::connect(at)?;
                session.hello()?;
                if let Some(user) = &login {
                    session.login(user, concord_testkit::PASSWORD)?;
                }
                for n in (worker..messages()).step_by(SESSIONS) {
                    let to = to(n);
                    let octets = sample(n, &from, &to).octets();
                    let reply = session.send_with(&from, "BODY=8BITMIME", &[&to], &octets)?;
                    if reply.code != 250 {
                        return Err(trouble(format!("message {n} to {to}: {reply:?}")));
                    }
                }
                Ok(())
            })
        })
        .collect();
    workers.into_iter().try_for_each(|worker| worker.join().unwrap())
}

fn body(message: &[u8]) -> &[u8] {
    let at = message.windows(4).position(|w| w == b"\r\n\r\n").map_or(0, |p| p + 4);
    &message[at..]
}

/// Every message is there once, with the body that was sent.
fn compare(found: Vec<Vec<u8>>, from: &str, to: fn(usize) -> String) {
    let mut by_id: HashMap<String, Vec<Vec<u8>>> = HashMap::new();
    for message in found {
        let id = header_value(&message, "Message-ID").unwrap_or_default();
        by_id.entry(id).or_default().push(message);
    }
    for n in 0..messages() {
        let sample = sample(n, from, &to(n));
        let copies = by_id.remove(&sample.id).unwrap_or_default();
        assert_eq!(copies.len(), 1, "copies of message {n}");
        assert!(body(&copies[0]) == body(&sample.octets()), "the body of message {n} changed");
    }
    assert!(by_id.is_empty(), "strangers: {:?}", by_id.keys());
}

fn exchange(kind: PeerKind) -> Result<()> {
    let world = World::start(&[("sts.plain.test", "mx.plain.test")])?;
    let peer = world.peer(kind)?;
    let server = world.concord()?;
    let (ours, theirs) = (server.address("submission"), peer.submission());
    let out = std::thread::spawn(move || send_all(ours, Some(ALICE), ALICE, outward));
    send_all(theirs, None, SENDER, inward)?;
    out.join().unwrap()?;
    wait_until("all messages on both sides", LIMIT, || {
        Ok(peer.count() >= messages()
            && server.imap(ALICE)?.count("INBOX")? >= u32::try_from(messages())?)
    })
    .map_err(|e| explained(&e, &server, &peer))?;
    server.wait_queue_empty(LIMIT).map_err(|e| explained(&e, &server, &peer))?;
    let delivered = peer.messages()?;
    for message in &delivered {
        let text = String::from_utf8_lossy(message);
        assert!(text.contains("ESMTPS") || text.contains("TLS"), "in the clear: {text:.600}");
    }
    compare(delivered, ALICE, outward);
    let stored = server.imap(ALICE)?.messages("INBOX")?;
    for message in &stored {
        let received = header_value(message, "Received").unwrap_or_default();
        assert!(received.contains("with ESMTPS"), "{received}");
    }
    compare(stored, SENDER, inward);
    let log = connector_log(&server);
    for decided in ["which matches its TLSA records", "checked for the MTA-STS policy of sts.plain"]
    {
        assert!(log.contains(decided), "{decided} is not in the log:\n{}", last_lines(&log));
    }
    let unproven = log.lines().find(|line| {
        line.contains("protection") && (line.contains("no TLS") || line.contains("not checked"))
    });
    assert_eq!(unproven, None);
    Ok(())
}

#[test]
fn postfix_and_concord_exchange_messages_under_dane_and_mta_sts() -> Result<()> {
    exchange(PeerKind::Postfix)
}

#[test]
fn exim_and_concord_exchange_messages_under_dane_and_mta_sts() -> Result<()> {
    exchange(PeerKind::Exim)
}

#[test]
fn opensmtpd_and_concord_exchange_messages_under_dane_and_mta_sts() -> Result<()> {
    exchange(PeerKind::OpenSmtpd)
}
