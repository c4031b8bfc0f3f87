//! Talks to a server over a pipe: everything is sent at once, the sending side
//! is closed, and all that comes back is the transcript.

#![allow(dead_code, unreachable_pub, missing_docs)]
// a failed test helper should panic where it stands
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::common::{MemoryDirectory, MemoryStore};
use concord_base::{ByteSize, MailboxId, SystemClock};
use concord_imap::{ImapConfig, ImapServer};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

pub const MESSAGE: &str = "From: Ann Bee <ann@example.test>\r\nTo: bob@example.test\r\n\
Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\nDate: Fri, 9 Feb 2001 10:00:00 +0000\r\n\
Message-ID: <1@example.test>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n\
SGFsbG8gV2VsdCwgw4RwZmVs\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\nxyz\r\n--b--\r\n";

pub struct World {
    pub server: Arc<ImapServer>,
    pub store: Arc<MemoryStore>,
    pub mailbox: MailboxId,
    pub shutdown: CancellationToken,
}

pub fn config() -> ImapConfig {
    ImapConfig {
        allow_plaintext_login: true,
        message_size_limit: ByteSize(100_000),
        failed_login_delay: Duration::from_millis(1),
        command_timeout: Duration::from_secs(2),
        ..ImapConfig::default()
    }
}

pub fn world_with(config: ImapConfig, store: MemoryStore) -> World {
    let directory = MemoryDirectory::default();
    let mailbox = directory.add("ann", "secret");
    let store = Arc::new(store);
    store.add_mailbox(mailbox);
    store.deliver(mailbox, "INBOX", MESSAGE.as_bytes());
    store.deliver(mailbox, "INBOX", b"Subject: second\r\n\r\nshort\r\n");
    store.deliver(mailbox, "INBOX", b"Subject: third\r\nX-Eight: \xff\xfe\r\n\r\nend\r\n");
    let server = Arc::new(ImapServer::new(
        config,
        Arc::new(directory),
        Arc::clone(&store) as Arc<dyn concord_store::Store>,
        Arc::default(),
        None,
        Arc::new(SystemClock),
    ));
    World { server, store, mailbox, shutdown: CancellationToken::new() }
}

pub fn world() -> World {
    world_with(config(), MemoryStore::default())
}

impl World {
    /// A client's end of a new connection.
    pub fn connect(&self) -> tokio::io::DuplexStream {
        let (client, server) = tokio::io::duplex(1 << 16);
        let peer = ([127, 0, 0, 1], 1).into();
        tokio::spawn(Arc::clone(&self.server).serve_stream(
            server,
            peer,
            false,
            self.shutdown.clone(),
        ));
        client
    }

    /// Sends everything, hangs up, gives back everything that came.
    pub async fn talk(&self, input: &[u8]) -> String {
        let (mut read, mut write) = tokio::io::split(self.connect());
        let input = input.to_vec();
        let sender = tokio::spawn(async move {
            let _ = write.write_all(&input).await;
            let _ = write.shutdown().await;
            write
        });
        let mut out = Vec::new();
        tokio::time::timeout(Duration::from_secs(20), read.read_to_end(&mut out))
            .await
            .expect("the server hung")
            .unwrap();
        drop(sender.await);
        String::from_utf8_lossy(&out).into_owned()
    }
}

/// Whether the pieces come in this order; else what is missing where.
pub fn in_order(name: &str, transcript: &str, pieces: &[&str]) -> Result<(), String> {
    let mut rest = transcript;
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else {
            return Err(format!("{name}: {piece:?} is not in\n{rest}\n"));
        };
        rest = after;
    }
    Ok(())
}

/// Fails with everything that went wrong.
pub fn all(results: Vec<Result<(), String>>) {
    let wrong: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n----\n"));
}
