//! Two sessions on one folder, and what changes below a session: TLS,
//! compression, shutdown.

// a failed test helper should panic where it stands
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[path = "common/dialogue.rs"]
mod dialogue;

use common::{MemoryDirectory, MemoryStore};
use concord_base::SystemClock;
use concord_imap::ImapServer;
use dialogue::{World, config, world};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};

/// A client that waits for answers.
struct Client<S>(S);

impl Client<DuplexStream> {
    async fn new(world: &World) -> Self {
        let mut client = Client(world.connect());
        client.until("ready\r\n").await;
        client.say("a LOGIN ann secret\r\nb SELECT INBOX\r\n", "b OK").await;
        client
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// Reads until the text has come, and its line's end.
    async fn until(&mut self, text: &str) -> String {
        let mut seen = String::new();
        let read = async {
            while !(seen.contains(text) && seen.ends_with("\r\n")) {
                seen.push(self.0.read_u8().await.unwrap().into());
            }
        };
        let done = tokio::time::timeout(Duration::from_secs(10), read).await;
        assert!(done.is_ok(), "waited for {text}, have {seen}");
        seen
    }

    async fn say(&mut self, input: &str, until: &str) -> String {
        self.0.write_all(input.as_bytes()).await.unwrap();
        self.until(until).await
    }
}

#[tokio::test]
async fn idle_tells_at_once() {
    let world = world();
    let mut client = Client::new(&world).await;
    client.say("c IDLE\r\n", "+ idling").await;
    let start = Instant::now();
    world.store.deliver(world.mailbox, "INBOX", b"Subject: new\r\n\r\n");
    let news = client.until("RECENT").await;
    assert!(news.contains("* 4 EXISTS"), "{news}");
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    let mut other = Client::new(&world).await;
    other.say("c STORE 1 +FLAGS (\\Deleted)\r\n", "c OK").await;
    client.until("* 1 FETCH (FLAGS (\\Deleted))").await;
    other.say("d EXPUNGE\r\n", "d OK").await;
    client.until("* 1 EXPUNGE").await;
    client.say("DONE\r\n", "c OK").await;
}

#[tokio::test]
async fn expunges_wait_while_numbers_are_in_use() {
    let world = world();
    let (mut one, mut two) = (Client::new(&world).await, Client::new(&world).await);
    two.say("c STORE 1 +FLAGS (\\Deleted)\r\nd EXPUNGE\r\n", "d OK").await;
    world.store.deliver(world.mailbox, "INBOX", b"Subject: new\r\n\r\n");
    for command in ["c FETCH 2 UID", "d STORE 2 +FLAGS (\\Flagged)", "e SEARCH ALL"] {
        let tag = &command[..1];
        let answer = one.say(&format!("{command}\r\n"), &format!("{tag} OK")).await;
        assert!(!answer.contains("EXPUNGE"), "{answer}");
        assert!(!answer.contains("* 2 FETCH (UID 3"), "{answer}");
    }
    let answer = one.say("f FETCH 1 BODY[]\r\n", "f ").await;
    assert!(!answer.contains("EXPUNGE\r\n"), "{answer}");
    let answer = one.say("g NOOP\r\n", "g OK").await;
    assert!(answer.contains("* 1 EXPUNGE"), "{answer}");
    let answer = one.say("h UID FETCH 1:* UID\r\n", "h OK").await;
    assert!(
        answer.contains("* 1 FETCH (UID 2)") && answer.contains("* 3 FETCH (UID 4)"),
        "{answer}"
    );
    let answer = two.say("i NOOP\r\n", "i OK").await;
    assert!(answer.contains("* 3 EXISTS") && answer.contains("FLAGS (\\Flagged)"), "{answer}");
}

#[tokio::test]
async fn a_silent_store_is_silent_and_others_hear_of_it() {
    let world = world();
    let (mut one, mut two) = (Client::new(&world).await, Client::new(&world).await);
    let answer = one.say("c STORE 1:3 +FLAGS.SILENT (\\Seen)\r\n", "c OK").await;
    assert!(!answer.contains("FETCH"), "{answer}");
    let answer = two.say("c NOOP\r\n", "c OK").await;
    assert_eq!(answer.matches("FETCH (FLAGS (\\Seen))").count(), 3, "{answer}");
    let answer = one.say("d NOOP\r\n", "d OK").await;
    assert!(!answer.contains("FETCH"), "{answer}");
}

#[tokio::test]
async fn an_own_change_does_not_hide_those_of_others() {
    let world = world();
    // one STORE of the other session gives all items the same modseq
    let (mut one, mut two) = (Client::new(&world).await, Client::new(&world).await);
    two.say("c STORE 1:3 +FLAGS (\\Seen)\r\n", "c OK").await;
    // \Seen is set already: the store answers with that modseq, for item 1 alone
    let answer = one.say("c FETCH 1 BODY[]\r\n", "c OK").await;
    let later = one.say("d NOOP\r\n", "d OK").await;
    let told = answer + &later;
    for number in [2, 3] {
        let news = format!("* {number} FETCH (FLAGS (\\Seen))");
        assert_eq!(told.matches(&news).count(), 1, "{told}");
    }
    assert!(!later.contains("* 1 FETCH"), "{later}");

    // the same with STORE
    two.say("d STORE 1:3 +FLAGS (\\Flagged)\r\n", "d OK").await;
    let answer = one.say("e STORE 2 +FLAGS (\\Flagged)\r\n", "e OK").await;
    for number in [1, 2, 3] {
        assert_eq!(answer.matches(&format!("* {number} FETCH")).count(), 1, "{answer}");
    }
    let answer = one.say("f NOOP\r\n", "f OK").await;
    assert!(!answer.contains("FETCH"), "{answer}");
}

#[tokio::test]
async fn an_item_has_a_bounded_number_of_keywords() {
    let world = world();
    let mut client = Client::new(&world).await;
    let words = |from: usize, to: usize| {
        (from..to).map(|n| format!("word{n}")).collect::<Vec<_>>().join(" ")
    };
    client.say(&format!("c STORE 1 +FLAGS.SILENT ({})\r\n", words(0, 40)), "c OK").await;
    client.say(&format!("d STORE 2 +FLAGS.SILENT ({})\r\n", words(40, 80)), "d OK").await;
    let answer = client.say(&format!("e STORE 1:3 +FLAGS ({})\r\n", words(40, 65)), "e ").await;
    assert!(answer.starts_with("e NO [LIMIT]"), "{answer}");
    let answer = client.say("f FETCH 3 FLAGS\r\n", "f OK").await;
    assert!(answer.contains("* 3 FETCH (FLAGS ())"), "{answer}");
    // up to the limit, and what an item has already does not count twice
    client.say(&format!("g STORE 1 +FLAGS ({})\r\n", words(40, 64)), "g OK").await;
    client.say(&format!("h STORE 1 +FLAGS ({})\r\n", words(0, 64)), "h OK").await;
    client.say("i STORE 1 -FLAGS (word0)\r\nj STORE 1 +FLAGS (new)\r\n", "j OK").await;
    client.say("k STORE 1 FLAGS (word0 word1)\r\n", "k OK").await;
}

#[tokio::test]
async fn shutdown_says_bye() {
    let world = world();
    let mut idle = Client::new(&world).await;
    idle.say("c IDLE\r\n", "+ idling").await;
    let mut resting = Client::new(&world).await;
    world.shutdown.cancel();
    idle.until("* BYE").await;
    resting.until("* BYE").await;
    assert_eq!(resting.0.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_folder_that_goes_ends_the_sessions_in_it() {
    let world = world();
    let mut one = Client::new(&world).await;
    let mut two = Client::new(&world).await;
    one.say("c CREATE tmp\r\nd SELECT tmp\r\n", "d OK").await;
    two.say("c DELETE tmp\r\n", "c OK").await;
    one.say("e NOOP\r\n", "* BYE the folder was removed").await;
}

#[tokio::test]
async fn compression_both_ways() {
    let world = world();
    let mut client = Client::new(&world).await;
    client.say("c COMPRESS DEFLATE\r\n", "c OK").await;
    let (mut pack, mut unpack) =
        (Compress::new(Compression::fast(), false), Decompress::new(false));
    let mut packed = Vec::with_capacity(4_096);
    let command = b"d FETCH 1:* (FLAGS BODY.PEEK[])\r\ne COMPRESS DEFLATE\r\n";
    pack.compress_vec(command, &mut packed, FlushCompress::Sync).unwrap();
    client.0.write_all(&packed).await.unwrap();
    let mut text = Vec::with_capacity(1 << 16);
    while !String::from_utf8_lossy(&text).contains("e NO [COMPRESSIONACTIVE]") {
        let mut piece = vec![0; 4_096];
        let read = client.0.read(&mut piece).await.unwrap();
        assert!(read > 0);
        unpack.decompress_vec(&piece[..read], &mut text, FlushDecompress::Sync).unwrap();
    }
    assert!(String::from_utf8_lossy(&text).contains("* 3 FETCH"));
}

#[tokio::test]
async fn starttls_forgets_what_came_before_it() {
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = key.cert.der().clone();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server_config = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.clone()],
            rustls::pki_types::PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap(),
        )
        .unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client_config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let directory = MemoryDirectory::default();
    let store = MemoryStore::default();
    store.add_mailbox(directory.add("ann", "secret"));
    let config = concord_imap::ImapConfig { allow_plaintext_login: false, ..config() };
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server_config));
    let server = Arc::new(ImapServer::new(
        config,
        Arc::new(directory),
        Arc::new(store),
        Arc::default(),
        Some(acceptor),
        Arc::new(SystemClock),
    ));
    for implicit in [false, true] {
        let (client, end) = tokio::io::duplex(1 << 16);
        tokio::spawn(Arc::clone(&server).serve_stream(
            end,
            ([127, 0, 0, 1], 1).into(),
            implicit,
            Default::default(),
        ));
        let mut client = Client(client);
        if !implicit {
            let greeting = client.until("ready\r\n").await;
            assert!(
                greeting.contains("STARTTLS") && greeting.contains("LOGINDISABLED"),
                "{greeting}"
            );
            // the second command is an attacker's, and must not be answered
            client.say("a STARTTLS\r\nb NOOP\r\n", "a OK").await;
        }
        let connector = tokio_rustls::TlsConnector::from(Arc::new(client_config.clone()));
        let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
        let mut tls = Client(connector.connect(name, client.0).await.unwrap());
        if implicit {
            tls.until("ready\r\n").await;
        }
        let answer = tls.say("c CAPABILITY\r\nd STARTTLS\r\ne LOGIN ann secret\r\n", "e OK").await;
        assert!(answer.contains("AUTH=PLAIN") && !answer.contains(" STARTTLS"), "{answer}");
        assert!(!answer.contains("b OK") && answer.contains("d BAD"), "{answer}");
    }
}
