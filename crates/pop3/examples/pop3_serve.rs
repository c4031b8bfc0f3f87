//! A POP3 server on loopback over a store in memory, to try programs against:
//! `cargo run --example pop3_serve -- 2110`. Name `ann`, password `secret`.

#[path = "../../imap/tests/common/mod.rs"]
mod common;

use common::{MemoryDirectory, MemoryStore};
use concord_pop3::{Pop3Config, Pop3Server};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(2110);
    let (directory, store) = (MemoryDirectory::default(), MemoryStore::default());
    let mailbox = directory.add("ann", "secret");
    store.add_mailbox(mailbox);
    for n in 0..10 {
        let message = format!("Subject: message {n}\r\n\r\n.a line that begins with a dot\r\n");
        store.deliver(mailbox, "INBOX", message.as_bytes());
    }
    let config = Pop3Config { allow_plaintext_login: true, ..Pop3Config::default() };
    let server = Arc::new(Pop3Server::new(
        config,
        Arc::new(directory),
        Arc::new(store),
        Arc::default(),
        None,
    ));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, peer) = listener.accept().await?;
        let server = Arc::clone(&server);
        tokio::spawn(server.serve_connection(stream, peer, false, CancellationToken::new()));
    }
}
