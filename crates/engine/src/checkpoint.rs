//! Checkpoints of the index's WAL, away from the thread that answers.

use crate::index::index_error;
use crate::space::Space;
use concord_base::{Fault as _, StorageError};
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Between looks at the WAL.
const EVERY: Duration = Duration::from_millis(1_000);
/// A WAL with fewer pages (of 4 KiB) is left alone.
const PASSIVE_ABOVE: i64 = 1_024;
/// A writer that never rests keeps a passive checkpoint from reaching the
/// WAL's end, and the WAL grows. Above this it is begun anew, for which writers
/// wait; the passive checkpoint just before leaves little to do meanwhile.
const RESTART_ABOVE: i64 = 8_192;
/// What a WAL that was begun anew keeps of its file, octets.
const KEEP_WAL: i64 = 32 << 20;

pub(crate) struct Checkpoints {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Lets the WAL's file shrink when it is begun anew; for every connection that
/// may do that.
pub(crate) fn limit_wal(db: &Connection) -> Result<(), rusqlite::Error> {
    db.query_row(&format!("PRAGMA journal_size_limit = {KEEP_WAL}"), [], |_| Ok(()))
}

/// Runs a checkpoint; gives back the pages in the WAL.
fn checkpoint(db: &Connection, mode: &str) -> Result<i64, rusqlite::Error> {
    db.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |r| r.get(1))
}

fn tend(db: &Connection, wal: &Path, space: &Space) -> Result<(), rusqlite::Error> {
    /// A page with its frame header.
    const FRAME: u64 = 4_120;
    let octets = std::fs::metadata(wal).map_or(0, |m| m.len());
    if octets / FRAME < PASSIVE_ABOVE as u64 {
        return Ok(());
    }
    if space.check().is_err() {
        // Every octet counts now; the WAL can be most of what is in use.
        checkpoint(db, "PASSIVE")?;
        checkpoint(db, "TRUNCATE")?;
    } else if checkpoint(db, "PASSIVE")? > RESTART_ABOVE {
        checkpoint(db, "PASSIVE")?;
        checkpoint(db, "RESTART")?;
    }
    Ok(())
}

impl Checkpoints {
    pub fn start(index: &Path, space: Arc<Space>) -> Result<Self, StorageError> {
        let db = Connection::open(index).map_err(index_error)?;
        db.pragma_update(None, "synchronous", "NORMAL").map_err(index_error)?;
        limit_wal(&db).map_err(index_error)?;
        db.busy_timeout(Duration::from_secs(1)).map_err(index_error)?;
        let wal = index.with_extension("db-wal");
        let (stop, stopped) = mpsc::channel();
        let run = move || {
            while stopped.recv_timeout(EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
                if let Err(error) = tend(&db, &wal, &space) {
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
