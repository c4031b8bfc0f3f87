//! Opening the index and reading from it.

use crate::schema::Schema;
use concord_base::StorageError;
use concord_message_log::Position;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Statements kept ready per connection; more than there are in this crate.
const CACHED_STATEMENTS: usize = 128;
/// Page cache of the writer, KiB (negative is KiB to SQLite).
const WRITER_CACHE_KIB: i64 = -16_384;
/// Page cache of each reader; the system's own cache stands behind it.
const READER_CACHE_KIB: i64 = -2_048;
/// Enough for a few long listings beside short look-ups.
const READERS: usize = 4;
/// A reader waits for the writer only while a checkpoint restarts the WAL.
const BUSY: Duration = Duration::from_secs(10);

pub(crate) fn index_error(error: rusqlite::Error) -> StorageError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            StorageError::DiskFull { path: "the index".into(), free: 0, reserve: 0 }
        }
        // A checkpoint can hold the writer's lock on a slow disk.
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StorageError::InUse("the index")
        }
        // Among others what a full disk does to the WAL's shared memory.
        Some(ErrorCode::SystemIoFailure) => {
            StorageError::Io { act: "write", path: "the index".into(), cause: error.to_string() }
        }
        _ => StorageError::Index(error.to_string()),
    }
}

/// Up to where the log is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Applied {
    pub sequence: u64,
    pub position: Position,
}

/// What the index's one row says.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub log_id: [u8; 16],
    pub applied: Applied,
    pub next_message: u64,
    pub next_delivery: u64,
    pub next_folder: u64,
    pub next_object: u64,
    pub last_uid_validity: u32,
}

/// Opens the index for writing; makes it if it is new.
pub(crate) fn open_writer(path: &Path, schema: Schema) -> Result<Connection, StorageError> {
    let open = || {
        let db = Connection::open(path)?;
        db.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
        db.busy_timeout(BUSY)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        // The log is the truth: the index need not be durable by itself, only
        // consistent, which NORMAL keeps through power loss.
        db.pragma_update(None, "synchronous", "NORMAL")?;
        // Checkpoints run on their own thread (see checkpoint.rs).
        db.pragma_update(None, "wal_autocheckpoint", 0)?;
        crate::checkpoint::limit_wal(&db)?;
        db.pragma_update(None, "cache_size", WRITER_CACHE_KIB)?;
        db.pragma_update(None, "foreign_keys", false)?;
        let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_master", [], |r| r.get(0))?;
        if tables == 0 {
            schema.create(&db)?;
        }
        Ok(db)
    };
    open().map_err(index_error)
}

/// The one row, if there is one, of an index that the engine works with.
pub(crate) fn read_state(db: &Connection, schema: Schema) -> Result<Option<State>, StorageError> {
    let Some((found, state)) = read_any(db)? else { return Ok(None) };
    schema.check(found).map(|()| Some(state))
}

fn has_no_tables(db: &Connection) -> bool {
    db.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get::<_, i64>(0))
        .is_ok_and(|tables| tables == 0)
}

/// The one row, if there is one, and the schema, of an index of any release.
pub(crate) fn read_any(db: &Connection) -> Result<Option<(i64, State)>, StorageError> {
    let row = db.query_row(
        "SELECT schema, log_id, sequence, segment, offset, next_message, next_delivery,
                next_folder, next_object, last_uid_validity FROM engine",
        [],
        |r| {
            Ok((
                r.get::<_, i64>(0)?,
                State {
                    log_id: r.get(1)?,
                    applied: Applied {
                        sequence: r.get::<_, i64>(2)? as u64,
                        position: Position {
                            segment: r.get::<_, i64>(3)? as u64,
                            offset: r.get::<_, i64>(4)? as u64,
                        },
                    },
                    next_message: r.get::<_, i64>(5)? as u64,
                    next_delivery: r.get::<_, i64>(6)? as u64,
                    next_folder: r.get::<_, i64>(7)? as u64,
                    next_object: r.get::<_, i64>(8)? as u64,
                    last_uid_validity: r.get(9)?,
                },
            ))
        },
    );
    match row {
        Ok(found) => Ok(Some(found)),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
        // A process that was killed while it made the index has left a file
        // without its tables.
        Err(_) if has_no_tables(db) => Ok(None),
        Err(error) => Err(index_error(error)),
    }
}

pub(crate) fn insert_state(
    db: &Connection,
    schema: Schema,
    log_id: [u8; 16],
) -> Result<State, StorageError> {
    db.execute(
        "INSERT INTO engine VALUES (1, ?1, ?2, 0, 0, 0, 1, 1, 1, 1, 0, 0)",
        (schema.version(), log_id),
    )
    .map_err(index_error)?;
    Ok(State {
        log_id,
        next_message: 1,
        next_delivery: 1,
        next_folder: 1,
        next_object: 1,
        ..State::default()
    })
}

/// Connections that only read. Each sees every commit that was finished before
/// its statement began.
#[derive(Debug, Clone)]
pub(crate) struct Readers {
    pool: Arc<Vec<Mutex<Connection>>>,
    turn: Arc<AtomicUsize>,
}

impl Readers {
    pub fn open(path: &PathBuf) -> Result<Self, StorageError> {
        let open = || {
            let db = Connection::open_with_flags(
                path,
                OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            )?;
            db.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
            db.busy_timeout(BUSY)?;
            db.pragma_update(None, "query_only", true)?;
            db.pragma_update(None, "cache_size", READER_CACHE_KIB)?;
            Ok(Mutex::new(db))
        };
        let pool: Result<Vec<_>, rusqlite::Error> = (0..READERS).map(|_| open()).collect();
        Ok(Self { pool: Arc::new(pool.map_err(index_error)?), turn: Arc::default() })
    }

    /// Runs `read` on a free connection.
    pub fn with<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, StorageError> {
        for connection in self.pool.iter() {
            if let Ok(db) = connection.try_lock() {
                return read(&db).map_err(index_error);
            }
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % READERS;
        let connection =
            self.pool.get(turn).ok_or_else(|| StorageError::Bug("no reader".into()))?;
        let db = connection.lock().unwrap_or_else(PoisonError::into_inner);
        read(&db).map_err(index_error)
    }
}
