//! IDLE, RFC 2177: news at once.

use crate::error::{Done, End, Fail, Outcome};
use crate::reader::read_line;
use crate::selected::{Expunges, Selected, Told};
use crate::session::Session;
use std::sync::Arc;
use tokio::time::{Instant, timeout, timeout_at};

/// Octets of the line that ends it; it says `DONE`.
const MAX_DONE: usize = 64;

/// Waits for a change of the selected folder; for ever without one.
async fn news(selected: Option<&mut Selected>) -> Result<(), End> {
    match selected {
        Some(selected) => {
            selected.watch.changed().await.map_err(|_| End::Bye("the folder was removed"))?;
            // `sync` asks again what has changed
            selected.watch.mark_changed();
            Ok(())
        }
        None => std::future::pending().await,
    }
}

/// IDLE
pub(crate) async fn idle(session: &mut Session) -> Outcome {
    session.connection.push(b"+ idling\r\n");
    let server = Arc::clone(&session.server);
    let until = Instant::now() + server.config.idle_timeout;
    loop {
        if let Some(selected) = &mut session.selected {
            let told = Told { uid: false, modseq: session.condstore };
            let out = &mut session.connection.out;
            selected.sync(&*server.store, out, Expunges::Tell, told).await?;
        }
        session.connection.flush().await?;
        if !session.connection.input.is_empty() {
            break;
        }
        session.connection.rest();
        tokio::select! {
            biased;
            () = session.shutdown.cancelled() => {
                return Err(End::Bye("the server is shutting down").into());
            }
            got = timeout_at(until, session.connection.fill()) => {
                got.map_err(|_| End::Bye("you were silent for too long"))??;
                break;
            }
            got = news(session.selected.as_mut()) => got?,
        }
    }
    let mut line = Vec::new();
    let wait = server.config.command_timeout;
    timeout(wait, read_line(&mut session.connection, &mut line, MAX_DONE))
        .await
        .map_err(|_| End::Bye("the end of IDLE took too long to arrive"))??;
    if line.trim_ascii().eq_ignore_ascii_case(b"DONE") {
        Ok(Done::new("idled"))
    } else {
        Err(Fail::Bad("IDLE ends with DONE"))
    }
}
