//! Connections that are kept for the next client.

use super::connection::Connection;
use crate::limits::{KEPT_CONNECTIONS, KEPT_TIME};
use std::sync::{Mutex, PoisonError};
use tokio::time::Instant;

/// Connections of one milter without a client.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Vec<(Instant, Connection)>>);

impl Kept {
    /// The one that was used last.
    pub fn take(&self) -> Option<Connection> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(since, _)| since.elapsed() < KEPT_TIME);
        let (_, mut connection) = kept.pop()?;
        connection.untried = true;
        Some(connection)
    }

    /// Keeps a connection whose session was ended for a new one.
    pub fn put(&self, connection: Connection) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(since, _)| since.elapsed() < KEPT_TIME);
        if kept.len() < KEPT_CONNECTIONS {
            kept.push((Instant::now(), connection));
        }
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kept")
    }
}
