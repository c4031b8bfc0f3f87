//! What is done to a message on its way out: signed, its sender rewritten.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // in helpers, too, a panic is a failed test

mod common;

use bytes::Bytes;
use common::recorder::{Recorder, message};
use common::{World, policy, rcpt, remote_profile, start_remote};
use concord_base::{Clock as _, SystemClock};
use concord_internet_mail::{InternetMailConfig, Seen, Wanted};
use concord_mail_authentication::{
    Arrival, Checker, Dkim, DkimResult, KeyAlgorithm, KeyRecord, KeyStore, RotationStep, SrsFile,
};
use concord_smtp::{MailCommand, Reply, Xforward};
use concord_smtp_tokio::ServerProfile;
use concord_testkit::{NameServer, Zone};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

/// Keys of `us.test`, one of each kind.
fn keys(directory: &Path) -> Vec<KeyRecord> {
    let mut store = KeyStore::open(directory).unwrap();
    let now = SystemClock.now();
    let made = [("r1", KeyAlgorithm::Rsa), ("e1", KeyAlgorithm::Ed25519)].map(|(name, kind)| {
        let record = store.make("us.test", name, kind, now).unwrap();
        let step = RotationStep::Activate { domain: "us.test".into(), selector: name.into() };
        store.apply(&step, now).unwrap();
        record
    });
    made.into()
}

struct Passage {
    world: World,
    remote: Recorder,
    keys: Vec<KeyRecord>,
}

impl Passage {
    async fn start(profile: ServerProfile, change: impl FnOnce(&mut InternetMailConfig)) -> Self {
        let (address, remote) = start_remote(([127, 0, 0, 2], 0).into(), profile, None);
        let mut made = Vec::new();
        let world = World::start(|config| {
            config.remote_port = address.port();
            let root = config.core_socket.parent().unwrap().to_owned();
            made = keys(&root.join("dkim"));
            config.dkim_keys = Some(root.join("dkim"));
            let srs = SrsFile::new(root.join("srs"), "mail.example.test", 21);
            config.srs = Some(Arc::new(srs));
            change(config);
        })
        .await;
        Self { world, remote, keys: made }
    }

    fn key_file(&self, selector: &str) -> PathBuf {
        self.world.dir.path().join(format!("dkim/us.test.{selector}.pem"))
    }

    /// Sends a message as the core does.
    async fn send(&self, source: Option<&str>, from: Option<&str>, message: &[u8]) -> Reply {
        let mut core = self.world.lmtp().await;
        let forward = Xforward {
            ident: Some("Q1".into()),
            source: source.map(str::to_owned),
            ..Xforward::default()
        };
        let from = from.map(|from| from.parse().unwrap());
        let size = u64::try_from(message.len()).unwrap();
        let mail = MailCommand { size: Some(size), ..MailCommand::new(from) };
        let mut octets = Some(Bytes::copy_from_slice(message));
        let to = [rcpt("friend@[127.0.0.2]")];
        let sent = core.deliver(Some(&forward), &mail, &to, &mut octets).await.unwrap();
        sent.rcpts[0].clone()
    }

    /// What the signatures of the last message are worth.
    async fn verified(&self) -> Vec<Dkim> {
        let mut zone = Zone::default();
        for record in &self.keys {
            zone.txt(&record.name, &record.value);
        }
        let names = NameServer::start(([127, 0, 0, 1], 0).into(), zone).unwrap();
        let checker = Checker::new(&[names.address()], "mx.remote.test").unwrap();
        let message = self.remote.last().body;
        let arrival = Arrival {
            ip: [127, 0, 0, 1].into(),
            helo: "mail.example.test",
            reverse_path: "",
            message: &message,
        };
        checker.check(&arrival).await.dkim
    }
}

fn letter(from: &str, body: &[u8]) -> Vec<u8> {
    let mut message = format!(
        "Received: from a by b; now\r\nFrom: Alice <{from}>\r\nTo: friend@there.test\r\nSubject: \
         for you\r\nDate: Sun, 1 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@us.test>\r\n\r\n"
    )
    .into_bytes();
    message.extend_from_slice(body);
    message
}

#[tokio::test]
async fn mail_of_ours_is_signed_by_each_key_of_its_author() {
    let mut old = remote_profile();
    old.extensions.chunking = false;
    for profile in [remote_profile(), old] {
        let passage = Passage::start(profile, |_| {}).await;
        for size in [0, 10, 100_000, 1_000_000] {
            let letter = letter("alice@us.test", &message(size));
            let reply = passage.send(Some("LOCAL"), Some("alice@us.test"), &letter).await;
            assert!(reply.is_ok(), "{reply}");
            let body = passage.remote.last().body;
            assert!(body.ends_with(&letter), "only something in front, {size}");
            let found = passage.verified().await;
            let kinds: Vec<_> = found.iter().map(|dkim| (dkim.algorithm, &dkim.result)).collect();
            let pass = DkimResult::Pass;
            assert_eq!(kinds, [("rsa-sha256", &pass), ("ed25519-sha256", &pass)], "{size}");
        }
    }
}

#[tokio::test]
async fn what_is_not_ours_is_not_signed() {
    let passage = Passage::start(remote_profile(), |_| {}).await;
    for (source, from) in [
        (Some("REMOTE"), "alice@us.test"),
        (None, "alice@us.test"),
        (Some("LOCAL"), "alice@elsewhere.test"),
        (Some("LOCAL"), "alice@bus.test"),
    ] {
        let letter = letter(from, b"hello\r\n");
        assert!(passage.send(source, Some("alice@us.test"), &letter).await.is_ok());
        assert_eq!(passage.remote.last().body, letter, "{source:?} {from}");
    }
    let headless = b"no header at all";
    assert!(passage.send(Some("LOCAL"), Some("alice@us.test"), headless).await.is_ok());
    assert_eq!(passage.remote.last().body, headless);
}

#[tokio::test]
async fn signing_can_be_switched_off() {
    let passage = Passage::start(remote_profile(), |config| {
        config.policy = policy("[signing]\nenabled = false\n");
    })
    .await;
    let letter = letter("alice@us.test", b"hello\r\n");
    assert!(passage.send(Some("LOCAL"), Some("alice@us.test"), &letter).await.is_ok());
    assert_eq!(passage.remote.last().body, letter);
}

#[tokio::test]
async fn mail_waits_rather_than_leave_unsigned() {
    let passage = Passage::start(remote_profile(), |_| {}).await;
    let file = passage.key_file("e1");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let letter_of_us = letter("alice@us.test", b"hello\r\n");
    let reply = passage.send(Some("LOCAL"), Some("alice@us.test"), &letter_of_us).await;
    let expected = Reply::new(451, (4, 7, 0), "");
    assert_eq!((reply.code, reply.status), (451, expected.status), "{reply}");
    assert!(reply.text.contains("us.test.e1.pem"), "{reply}");
    assert_eq!(passage.remote.messages(), 0);
    // Others' mail does not wait, and the same connection carries it.
    let other = letter("bob@other.test", b"hello\r\n");
    assert!(passage.send(Some("LOCAL"), Some("bob@other.test"), &other).await.is_ok());
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert!(passage.send(Some("LOCAL"), Some("alice@us.test"), &letter_of_us).await.is_ok());
    assert_eq!(passage.verified().await.len(), 2);
}

#[tokio::test]
async fn what_is_passed_on_leaves_under_a_sender_that_finds_back() {
    let passage = Passage::start(remote_profile(), |_| {}).await;
    let letter = letter("bob@there.test", b"hello\r\n");
    assert!(passage.send(Some("REMOTE"), Some("\"b o b\"@there.test"), &letter).await.is_ok());
    let mail = passage.remote.last().mail;
    let sender = mail.split(['<', '>']).nth(1).unwrap().to_owned();
    assert!(sender.starts_with("\"SRS0=") && sender.ends_with("@mail.example.test"), "{mail}");
    let srs = SrsFile::new(passage.world.dir.path().join("srs"), "mail.example.test", 21);
    let plain = sender.replace('"', "");
    let original = srs.get().unwrap().reverse(&plain, SystemClock.now()).unwrap();
    assert_eq!(original, "b o b@there.test");
    // A report has no sender, and gets none.
    assert!(passage.send(Some("REMOTE"), None, &letter).await.is_ok());
    assert!(passage.remote.last().mail.contains("<>"), "{}", passage.remote.last().mail);
    for source in [Some("LOCAL"), None] {
        assert!(passage.send(source, Some("bob@there.test"), &letter).await.is_ok());
        let mail = passage.remote.last().mail;
        assert!(mail.contains("<bob@there.test>"), "{source:?}: {mail}");
    }
}

#[tokio::test]
async fn senders_are_left_alone_where_the_policy_says_so() {
    let passage = Passage::start(remote_profile(), |config| {
        config.policy = policy("[authentication]\nrewrite-forwarded = false\n");
    })
    .await;
    let letter = letter("bob@there.test", b"hello\r\n");
    assert!(passage.send(Some("REMOTE"), Some("bob@there.test"), &letter).await.is_ok());
    assert!(passage.remote.last().mail.contains("<bob@there.test>"));
}

#[tokio::test]
async fn hidden_names_are_hidden_before_the_signature() {
    let passage = Passage::start(remote_profile(), |config| {
        config.policy = policy(
            "[rewriting]\nmasquerade = { 'host.us.test' = 'us.test' }\ncanonical = { \
             'root@us.test' = 'admin@us.test' }\n",
        );
    })
    .await;
    let before = letter("alice@host.us.test", b"From: alice@host.us.test\r\n");
    assert!(passage.send(Some("LOCAL"), Some("alice@host.us.test"), &before).await.is_ok());
    let after = letter("alice@us.test", b"From: alice@host.us.test\r\n");
    let seen = passage.remote.last();
    assert!(seen.body.ends_with(&after), "{}", String::from_utf8_lossy(&seen.body));
    assert!(seen.mail.contains("<alice@us.test>"), "{}", seen.mail);
    let found = passage.verified().await;
    assert!(found.len() == 2 && found.iter().all(|dkim| dkim.result == DkimResult::Pass));
    // Without a signature the header alone is held, and the rest passes.
    let before = letter("root@us.test", &message(300_000));
    assert!(passage.send(None, Some("root@us.test"), &before).await.is_ok());
    let seen = passage.remote.last();
    assert!(seen.body == letter("admin@us.test", &message(300_000)));
    assert!(seen.mail.contains("<admin@us.test>"), "{}", seen.mail);
    // What is passed on is somebody else's.
    let before = letter("root@us.test", b"x\r\n");
    assert!(passage.send(Some("REMOTE"), Some("root@us.test"), &before).await.is_ok());
    assert_eq!(passage.remote.last().body, before);
}

#[tokio::test]
async fn outgoing_conversations_can_be_watched() {
    let passage = Passage::start(remote_profile(), |_| {}).await;
    let mut watch = UnixStream::connect(passage.world.dir.path().join("watch.sock")).await.unwrap();
    let wanted = Wanted { peer: Some("127.0.0.2".into()), domain: None };
    let line = format!("{}\n", serde_json::to_string(&wanted).unwrap());
    watch.write_all(line.as_bytes()).await.unwrap();
    let mut watch = BufReader::new(watch);
    let mut line = String::new();
    watch.read_line(&mut line).await.unwrap();
    let letter = letter("bob@there.test", b"hello\r\n");
    assert!(passage.send(None, Some("bob@there.test"), &letter).await.is_ok());
    let mut seen = Vec::new();
    while !seen.iter().any(|s: &Seen| s.line.starts_with("250") && s.line.contains("taken")) {
        line.clear();
        assert!(watch.read_line(&mut line).await.unwrap() > 0);
        seen.push(serde_json::from_str(&line).unwrap());
    }
    assert!(seen.iter().all(|s| s.side == "out" && s.peer.contains("127.0.0.2")), "{seen:?}");
    let sent = |text: &str| seen.iter().any(|s| s.way == "sent" && s.line.starts_with(text));
    assert!(sent("EHLO mail.example.test") && sent("MAIL FROM:<bob@there.test>"), "{seen:?}");
    assert!(!seen.iter().any(|s| s.line.contains("Subject")), "contents are not shown");
}
