//! Checkpoints of the index's WAL, away from the thread that answers.

use crate::index::index_error;
use concord_base::{Fault as _, StorageError};
use rusqlite::Connection;
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Between looks at the WAL.
const EVERY: Duration = Duration::from_millis(1_000);
/// A WAL above this is restarted from its beginning, for which writers wait a
/// moment; below it a passive checkpoint suffices.
const RESTART_ABOVE: u64 = 128 << 20;
/// A WAL below this is left alone.
const PASSIVE_ABOVE: u64 = 4 << 20;

pub(crate) struct Checkpoints {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    pub fn start(index: &Path) -> Result<Self, StorageError> {
        let db = Connection::open(index).map_err(index_error)?;
        db.pragma_update(None, "synchronous", "NORMAL").map_err(index_error)?;
        db.busy_timeout(Duration::from_secs(1)).map_err(index_error)?;
        let wal = index.with_extension("db-wal");
        let (stop, stopped) = mpsc::channel();
        let run = move || {
            while stopped.recv_timeout(EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
                let octets = std::fs::metadata(&wal).map_or(0, |m| m.len());
                let mode = match octets {
                    0..PASSIVE_ABOVE => continue,
                    PASSIVE_ABOVE..RESTART_ABOVE => "PASSIVE",
                    _ => "TRUNCATE",
                };
                let statement = format!("PRAGMA wal_checkpoint({mode})");
                if let Err(error) = db.query_row(&statement, [], |_| Ok(())) {
                    let error = index_error(error);
                    tracing::warn!(code = error.code(), %error, "the index could not be checkpointed");
                }
            }
        };
        let thread = std::thread::Builder::new().name("checkpoint".into()).spawn(run);
        let thread = thread.map_err(|e| StorageError::Io {
            act: "start",
            path: "checkpoint thread".into(),
            cause: e.to_string(),
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
