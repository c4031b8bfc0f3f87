//! Dialogues, normal and hostile, each with what the server must answer, in
//! order. Everything is sent at once (PIPELINING), then the client hangs up.

// a failed test helper should panic where it stands
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../../imap/tests/common/mod.rs"]
mod common;

use common::{MemoryDirectory, MemoryStore};
use concord_base::MailboxId;
use concord_pop3::{Pop3Config, Pop3Server};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

struct World {
    server: Arc<Pop3Server>,
    store: Arc<MemoryStore>,
    mailbox: MailboxId,
}

fn world_with(config: Pop3Config) -> World {
    let directory = MemoryDirectory::default();
    let mailbox = directory.add("ann", "secret");
    let store = Arc::new(MemoryStore::default());
    store.add_mailbox(mailbox);
    store.deliver(mailbox, "INBOX", b"Subject: one\r\n\r\n.dot\r\nlast\r\n");
    store.deliver(mailbox, "INBOX", b"Subject: two\r\n\r\nno end");
    let server = Arc::new(Pop3Server::new(
        config,
        Arc::new(directory),
        Arc::clone(&store) as Arc<dyn concord_store::Store>,
        Arc::default(),
        None,
    ));
    World { server, store, mailbox }
}

fn config() -> Pop3Config {
    Pop3Config {
        allow_plaintext_login: true,
        failed_login_delay: Duration::from_millis(1),
        ..Pop3Config::default()
    }
}

impl World {
    fn connect(&self) -> tokio::io::DuplexStream {
        let (client, server) = tokio::io::duplex(1 << 16);
        let peer = ([127, 0, 0, 1], 1).into();
        let token = CancellationToken::new();
        tokio::spawn(Arc::clone(&self.server).serve_stream(server, peer, false, token));
        client
    }

    async fn talk(&self, input: &[u8]) -> String {
        let mut client = self.connect();
        client.write_all(input).await.unwrap();
        client.shutdown().await.unwrap();
        let mut out = Vec::new();
        let read = client.read_to_end(&mut out);
        tokio::time::timeout(Duration::from_secs(20), read).await.expect("hung").unwrap();
        String::from_utf8_lossy(&out).into_owned()
    }
}

const DIALOGUES: &[(&str, &[u8], &[&str])] = &[
    ("greeting and capabilities", b"CAPA\r\nQUIT\r\n",
        &["+OK localhost Concord POP3", "TOP\r\nUIDL\r\nPIPELINING\r\nRESP-CODES", "USER\r\nSASL SCRAM-SHA-256 PLAIN LOGIN", ".\r\n", "+OK goodbye"]),
    ("a normal session", b"USER ann\r\nPASS secret\r\nSTAT\r\nLIST\r\nLIST 2\r\nUIDL\r\nUIDL 1\r\nQUIT\r\n", &[
        "+OK\r\n+OK 2 messages\r\n+OK 2 50\r\n+OK\r\n1 28\r\n2 22\r\n.\r\n+OK 2 22\r\n",
        "+OK\r\n1 1001.1\r\n2 1001.2\r\n.\r\n+OK 1 1001.1\r\n+OK goodbye",
    ]),
    ("retr doubles dots and ends lines", b"USER ann\r\nPASS secret\r\nRETR 1\r\nRETR 2\r\nTOP 1 1\r\nTOP 1 0\r\n", &[
        "+OK 28 octets\r\nSubject: one\r\n\r\n..dot\r\nlast\r\n.\r\n", "Subject: two\r\n\r\nno end\r\n.\r\n",
        "Subject: one\r\n\r\n..dot\r\n.\r\n", "Subject: one\r\n\r\n.\r\n",
    ]),
    ("dele and rset", b"USER ann\r\nPASS secret\r\nDELE 1\r\nDELE 1\r\nRETR 1\r\nLIST\r\nSTAT\r\nRSET\r\nSTAT\r\n",
        &["+OK deleted", "-ERR", "-ERR", "+OK\r\n2 22\r\n.\r\n+OK 1 22", "+OK nothing", "+OK 2 50"]),
    ("auth plain", b"AUTH PLAIN AGFubgBzZWNyZXQ=\r\nSTAT\r\n", &["+OK 2 messages", "+OK 2 50"]),
    ("auth plain in two steps", b"AUTH PLAIN\r\nAGFubgBzZWNyZXQ=\r\nNOOP\r\n", &["+ \r\n", "+OK 2 messages", "+OK"]),
    ("auth lists", b"AUTH\r\n", &["+OK\r\nSCRAM-SHA-256\r\nPLAIN\r\nLOGIN\r\n.\r\n"]),
    ("auth cancelled", b"AUTH PLAIN\r\n*\r\nUSER ann\r\n", &["+ ", "-ERR authentication cancelled", "+OK"]),
    ("auth rubbish", b"AUTH PLAIN !!!\r\nAUTH GSSAPI\r\nAUTH PLAIN =\r\n", &["-ERR this is not base64", "-ERR this mech", "-ERR [AUTH]"]),
    ("wrong passwords", b"USER ann\r\nPASS x\r\nUSER nobody\r\nPASS secret\r\nUSER ann\r\nPASS y\r\nUSER ann\r\nPASS z\r\nUSER ann\r\n",
        &["-ERR [AUTH]", "-ERR [AUTH]", "-ERR [AUTH]", "-ERR [AUTH]", "-ERR too many refused"]),
    ("commands out of place", b"STAT\r\nRETR 1\r\nDELE 1\r\nPASS secret\r\nUSER ann\r\nPASS secret\r\nUSER ann\r\nSTLS\r\n",
        &["-ERR this command", "-ERR this command", "-ERR this command", "-ERR USER comes first", "+OK", "+OK 2", "-ERR this command", "-ERR this command"]),
    ("numbers that are not there", b"USER ann\r\nPASS secret\r\nRETR 3\r\nRETR 0\r\nDELE 99999999999999999999\r\nTOP 1\r\nTOP 1 -1\r\nLIST 9\r\nUIDL x\r\nNOOP\r\n",
        &["-ERR there is no", "-ERR unknown", "-ERR unknown", "-ERR unknown", "-ERR unknown", "-ERR there is no", "-ERR unknown", "+OK"]),
    ("rubbish", b"\r\nGET / HTTP/1.1\r\n\xff\xfe\r\nUSER\0 ann\r\nNOOP NOOP\r\nQUIT\r\n",
        &["-ERR unknown", "-ERR unknown", "-ERR unknown", "-ERR unknown", "-ERR unknown", "+OK goodbye"]),
    ("stls without TLS", b"STLS\r\nQUIT\r\n", &["-ERR there is no TLS", "+OK"]),
    ("bare line feeds", b"USER ann\nPASS secret\nSTAT\n", &["+OK 2 50"]),
];

#[tokio::test]
async fn dialogues() {
    for (name, input, expected) in DIALOGUES {
        let transcript = world_with(config()).talk(input).await;
        let mut rest = transcript.as_str();
        for piece in *expected {
            let found = rest.split_once(piece);
            rest = found
                .unwrap_or_else(|| panic!("{name}: {piece:?} not in\n{rest}\nof\n{transcript}"))
                .1;
        }
    }
}

#[tokio::test]
async fn deletes_happen_at_quit_and_only_then() {
    let world = world_with(config());
    world.talk(b"USER ann\r\nPASS secret\r\nDELE 1\r\n").await;
    assert_eq!(world.store.messages(world.mailbox, "INBOX").len(), 2);
    world.talk(b"USER ann\r\nPASS secret\r\nDELE 1\r\nQUIT\r\n").await;
    let left = world.store.messages(world.mailbox, "INBOX");
    assert_eq!(left.iter().map(|(item, _)| item.uid).collect::<Vec<_>>(), [2]);
}

#[tokio::test]
async fn one_session_has_the_mailbox() {
    let world = world_with(config());
    let mut first = world.connect();
    first.write_all(b"USER ann\r\nPASS secret\r\n").await.unwrap();
    let mut seen = String::new();
    while !seen.contains("2 messages") {
        seen.push(first.read_u8().await.unwrap().into());
    }
    assert!(world.talk(b"USER ann\r\nPASS secret\r\nSTAT\r\n").await.contains("-ERR [IN-USE]"));
    drop(first);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(world.talk(b"USER ann\r\nPASS secret\r\n").await.contains("+OK 2 messages"));
}

#[tokio::test]
async fn floods_and_the_slow() {
    let world = world_with(config());
    let long = [vec![b'x'; 100_000], b"\r\nQUIT\r\n".to_vec()].concat();
    assert!(world.talk(&long).await.contains("-ERR the line is too long\r\n+OK goodbye"));
    assert!(world.talk(&b"FOO\r\n".repeat(30)).await.contains("-ERR too many bad commands"));
    let short = Duration::from_millis(200);
    let world = world_with(Pop3Config {
        login_timeout: short,
        command_timeout: short,
        idle_timeout: short,
        ..config()
    });
    for (input, farewell) in [
        ("", "-ERR log in sooner"),
        ("USE", "-ERR the command took too long"),
        ("AUTH PLAIN\r\n", "-ERR the answer took too long"),
        ("USER ann\r\nPASS secret\r\n", "-ERR you were silent"),
    ] {
        let mut client = world.connect();
        client.write_all(input.as_bytes()).await.unwrap();
        let mut out = String::new();
        client.read_to_string(&mut out).await.unwrap();
        assert!(out.contains(farewell), "{input}: {out}");
    }
    let world = world_with(Pop3Config { allow_plaintext_login: false, ..config() });
    let clear =
        world.talk(b"CAPA\r\nUSER ann\r\nPASS secret\r\nAUTH PLAIN AGFubgBzZWNyZXQ=\r\n").await;
    assert_eq!(clear.matches("over TLS only").count(), 3, "{clear}");
    assert!(!clear.contains("\r\nUSER\r\n"), "{clear}");
}
