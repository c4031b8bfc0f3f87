//! Debian's Postfix as the rest of the world.

use crate::{ALICE, BOB};
use concord_testkit::{
    Concord, Ports, Postfix, PostfixSettings, Result, Sample, Smtp, header_value, trouble,
    wait_until,
};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::path::Path;
use std::time::Duration;

const MESSAGES: usize = 1_000;
/// A hundred megabytes each way through a debug build on two cores.
const LIMIT: Duration = Duration::from_secs(300);
/// A recipient whose name needs SMTPUTF8 (RFC 6531).
const JUERGEN: &str = "jürgen@example.test";
/// Debian's nobody: owns what Postfix delivers.
const NOBODY: u32 = 65_534;

/// Sizes from 1 KiB to 5 MiB, most of them small, as mail is.
fn size(n: usize) -> usize {
    match n {
        n if n % 100 == 0 => 5 << 20,
        n if n % 10 == 0 => 200 << 10,
        n => 1_024 + n % 20 * 1_000,
    }
}

fn sample(n: usize, from: &str, to: &str) -> Sample {
    let mut sample = Sample::new(&format!("mix{n}@mixed.test"), from, to).size(size(n));
    sample.seed = n as u64;
    if n.is_multiple_of(2) { sample.eight_bit() } else { sample }
}

/// Sends all samples over a few sessions; every third message by BDAT.
fn send_all(
    at: SocketAddr,
    login: Option<&str>,
    from: &str,
    to: fn(usize) -> String,
) -> Result<()> {
    const SESSIONS: usize = 4;
    let login = login.map(str::to_owned);
    let workers: Vec<_> = (0..SESSIONS)
        .map(|worker| {
            let (login, from) = (login.clone(), from.to_owned());
            std::thread::spawn(move || -> Result<()> {
                let mut session = Smtp::connect(at)?;
                session.hello()?;
                if let Some(user) = &login {
                    session.login(user, concord_testkit::PASSWORD)?;
                }
                for n in (worker..MESSAGES).step_by(SESSIONS) {
                    let to = to(n);
                    let octets = sample(n, &from, &to).octets();
                    let options =
                        if to.is_ascii() { "BODY=8BITMIME" } else { "BODY=8BITMIME SMTPUTF8" };
                    let reply = if n % 3 == 0 {
                        session.send_chunked(&from, options, &[&to], &octets, 100_000)?
                    } else {
                        session.send_with(&from, options, &[&to], &octets)?
                    };
                    if reply.code != 250 {
                        return Err(trouble(format!("message {n} to {to}: {reply:?}")));
                    }
                }
                Ok(())
            })
        })
        .collect();
    for worker in workers {
        worker.join().unwrap()?;
    }
    Ok(())
}

/// Where the body begins.
fn body(message: &[u8]) -> &[u8] {
    let at = message.windows(4).position(|w| w == b"\r\n\r\n").map_or(0, |p| p + 4);
    &message[at..]
}

/// Every message is there once, and its body is the one that was sent.
fn compare(found: Vec<Vec<u8>>, from: &str, to: fn(usize) -> String) {
    let mut by_id: HashMap<String, Vec<Vec<u8>>> = HashMap::new();
    for message in found {
        let id = header_value(&message, "Message-ID").unwrap_or_default();
        by_id.entry(id).or_default().push(message);
    }
    for n in 0..MESSAGES {
        let sample = sample(n, from, &to(n));
        let copies = by_id.remove(&sample.id).unwrap_or_default();
        assert_eq!(copies.len(), 1, "copies of message {n}");
        assert!(body(&copies[0]) == body(&sample.octets()), "the body of message {n} changed");
    }
    assert!(by_id.is_empty(), "strangers: {:?}", by_id.keys());
}

fn inbound(n: usize) -> String {
    match n {
        n if n % 7 == 0 => JUERGEN.to_owned(),
        n if n % 2 == 0 => ALICE.to_owned(),
        _ => BOB.to_owned(),
    }
}

fn outbound(n: usize) -> String {
    match n {
        n if n % 7 == 0 => format!("größe{n}@peer.test"),
        n => format!("user{n}@peer.test"),
    }
}

#[test]
fn postfix_sends_1000_mixed_messages() -> Result<()> {
    let server = Concord::start(|_| {})?;
    server.add_mailbox(JUERGEN)?;
    let ports = Ports::take()?;
    let relay = format!("relayhost = [127.0.0.1]:{}", server.address("smtp").port());
    let peer = Postfix::start(&PostfixSettings { port: ports.next()?, main: vec![relay] })?;
    send_all(peer.address(), None, "sender@mixed.test", inbound)?;
    let arrived = |user: &str| server.imap(user)?.count("INBOX");
    wait_until("all messages", LIMIT, || {
        Ok(arrived(ALICE)? + arrived(BOB)? + arrived(JUERGEN)? >= MESSAGES as u32)
    })
    .map_err(|e| trouble(format!("{}\n{}", e.text(), last_lines(&peer.said()))))?;
    let mut found = Vec::new();
    for user in [ALICE, BOB, JUERGEN] {
        found.extend(server.imap(user)?.messages("INBOX")?);
    }
    compare(found, "sender@mixed.test", inbound);
    wait_until("an empty queue at the peer", LIMIT, || Ok(peer.queued() == 0))
}

#[test]
fn postfix_receives_1000_mixed_messages() -> Result<()> {
    let ports = Ports::take()?;
    let box_directory = tempfile::Builder::new().prefix("box-").tempdir()?;
    chown(box_directory.path(), Some(NOBODY), Some(NOBODY))?;
    let main = vec![
        "virtual_mailbox_domains = peer.test".to_owned(),
        "virtual_mailbox_maps = static:box/".to_owned(),
        format!("virtual_mailbox_base = {}", box_directory.path().display()),
        format!("virtual_uid_maps = static:{NOBODY}"),
        format!("virtual_gid_maps = static:{NOBODY}"),
        "virtual_transport = virtual".to_owned(),
        "virtual_mailbox_limit = 0".to_owned(),
    ];
    let peer = Postfix::start(&PostfixSettings { port: ports.next()?, main })?;
    let host = peer.address();
    let server = Concord::start(|c| c.smart_host(host))?;
    send_all(server.address("submission"), Some(ALICE), ALICE, outbound)?;
    let new = box_directory.path().join("box/new");
    wait_until("all messages at the peer", LIMIT, || Ok(count(&new) >= MESSAGES))
        .map_err(|e| trouble(format!("{}\n{}", e.text(), last_lines(&peer.said()))))?;
    server.wait_queue_empty(LIMIT)?;
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&new)? {
        // Maildir has bare line feeds.
        let text = std::fs::read(entry?.path())?;
        found.push(crlf(&text));
    }
    compare(found, ALICE, outbound);
    assert_eq!(server.imap(ALICE)?.count("INBOX")?, 0, "nothing was reported back");
    Ok(())
}

fn count(directory: &Path) -> usize {
    std::fs::read_dir(directory).map_or(0, Iterator::count)
}

fn crlf(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 40);
    for line in text.split_inclusive(|b| *b == b'\n') {
        out.extend_from_slice(line.strip_suffix(b"\n").unwrap_or(line));
        out.extend_from_slice(b"\r\n");
    }
    out
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
