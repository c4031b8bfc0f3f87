//! The socket for administrators: who looks, and who asks for reports.

use super::Wanted;
use super::hub::{Hub, Passed};
use crate::reports::{Reports, ReportsRequest};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Take};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// Octets of the line that says what is wanted.
const MAX_WANTED: u64 = 4096;
/// For that line; a command writes it at once.
const PATIENCE: Duration = Duration::from_secs(5);
/// After a failed accept, so that a lasting cause does not burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What the first line asks for.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Request {
    Reports(ReportsRequest),
    Watch(Wanted),
}

/// Serves administrators, until the stop.
pub(crate) async fn serve(
    listener: UnixListener,
    hub: Arc<Hub>,
    reports: Arc<Reports>,
    shutdown: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let (hub, reports) = (Arc::clone(&hub), Arc::clone(&reports));
                let shutdown = shutdown.clone();
                tokio::spawn(async move {
                    tokio::select! {
                        () = shutdown.cancelled() => {}
                        // An error is the end of who looked.
                        _ = answer(stream, &hub, &reports) => {}
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept who wants to look");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn answer(stream: UnixStream, hub: &Hub, reports: &Reports) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader.take(MAX_WANTED));
    let mut line = String::new();
    tokio::time::timeout(PATIENCE, reader.read_line(&mut line)).await??;
    match serde_json::from_str(&line)? {
        Request::Watch(wanted) => show(reader, writer, wanted, hub).await,
        Request::Reports(request) => {
            let mut line = serde_json::to_vec(&reports.answer(request).await)?;
            line.push(b'\n');
            writer.write_all(&line).await
        }
    }
}

async fn show(
    mut reader: BufReader<Take<OwnedReadHalf>>,
    mut writer: OwnedWriteHalf,
    wanted: Wanted,
    hub: &Hub,
) -> std::io::Result<()> {
    let mut lines = hub.subscribe();
    // So that a command knows that it misses nothing from here on.
    writer.write_all(b"{}\n").await?;
    let mut named = HashSet::new();
    let mut rest = [0u8; 1];
    loop {
        let received = tokio::select! {
            received = lines.recv() => received,
            // Whoever looks says nothing more; this is the end.
            _ = reader.read(&mut rest) => return Ok(()),
        };
        let passed = match received {
            Ok(passed) => passed,
            Err(RecvError::Lagged(lost)) => {
                writer.write_all(format!("{{\"lost\":{lost}}}\n").as_bytes()).await?;
                continue;
            }
            Err(RecvError::Closed) => return Ok(()),
        };
        if fits(&wanted, &passed, &mut named) {
            let mut line = serde_json::to_vec(&passed.seen)?;
            line.push(b'\n');
            writer.write_all(&line).await?;
        }
    }
}

/// Conversations that nobody has heard of for long need no memory; so many are
/// remembered at most.
const MAX_NAMED: usize = 10_000;

fn fits(wanted: &Wanted, passed: &Passed, named: &mut HashSet<u64>) -> bool {
    let seen = &passed.seen;
    if wanted.peer.as_ref().is_some_and(|peer| !seen.peer.contains(peer.as_str())) {
        return false;
    }
    let Some(domain) = &wanted.domain else { return true };
    let domain = domain.to_ascii_lowercase();
    if passed.domain.as_deref() == Some(domain.as_str()) || named.contains(&seen.conversation) {
        return true;
    }
    let line = seen.line.to_ascii_lowercase();
    let names = line.starts_with("mail from:") || line.starts_with("rcpt to:");
    let here = names && line.contains(&format!("@{domain}>"));
    if here {
        if named.len() >= MAX_NAMED {
            named.clear();
        }
        named.insert(seen.conversation);
    }
    here
}
