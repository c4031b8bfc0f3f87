//! An IMAP server on loopback over a store in memory, to try programs against:
//! `cargo run --example imap_serve -- 2143 10000` has that many messages in INBOX.
//! Name `ann`, password `secret`.

#[path = "../tests/common/mod.rs"]
mod common;

use common::{MemoryDirectory, MemoryStore};
use concord_base::SystemClock;
use concord_imap::{ImapConfig, ImapServer};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1).filter_map(|a| a.parse::<u32>().ok());
    let port = u16::try_from(args.next().unwrap_or(2143)).unwrap_or(2143);
    let (directory, store) = (MemoryDirectory::default(), MemoryStore::default());
    let mailbox = directory.add("ann", "secret");
    store.add_mailbox(mailbox);
    for n in 0..args.next().unwrap_or(10) {
        let message = format!(
            "Received: from a.example (a.example [192.0.2.1]) by b.example; Fri, 9 Feb 2001 10:00:00 +0000\r\n\
             From: Sender {n} <s{n}@example.test>\r\nTo: Ann <ann@example.test>\r\n\
             Subject: message {n} of the example\r\nDate: Fri, 9 Feb 2001 10:00:00 +0000\r\n\
             Message-ID: <{n}@example.test>\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\n{}",
            "The quick brown fox jumps over the lazy dog again.\r\n".repeat(30)
        );
        store.deliver(mailbox, "INBOX", message.as_bytes());
    }
    let config = ImapConfig { allow_plaintext_login: true, ..ImapConfig::default() };
    let server = Arc::new(ImapServer::new(
        config,
        Arc::new(directory),
        Arc::new(store),
        Arc::default(),
        None,
        Arc::new(SystemClock),
    ));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, peer) = listener.accept().await?;
        let server = Arc::clone(&server);
        tokio::spawn(server.serve_connection(stream, peer, false, CancellationToken::new()));
    }
}
