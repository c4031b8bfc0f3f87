//! The index as a file: its schema, and copies of it.

use crate::index::index_error;
use crate::open::{EngineOptions, io, lock};
use crate::schema::Schema;
use crate::snapshot;
use concord_base::StorageError;
use rusqlite::Connection;
use std::path::Path;

/// What [`migrate`] did; nothing if both are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// The schema before.
    pub from: i64,
    /// The schema now.
    pub to: i64,
}

/// The schema of the directory's index; `None` if there is no index, or none
/// that can be read. Quick; changes nothing; also safe beside a running core.
pub fn schema_of(options: &EngineOptions) -> Option<i64> {
    let index = options.index_path();
    if !index.exists() {
        return None;
    }
    snapshot::state_of(&index).ok().flatten().map(|(schema, _)| schema)
}

/// Whether the index is sound and has nothing in it, as a process leaves it that
/// was killed while it made it. What opens the store next begins it anew.
pub fn is_only_begun(options: &EngineOptions) -> bool {
    let index = options.index_path();
    index.exists() && matches!(snapshot::state_of(&index), Ok(None))
}

/// The schema that this release works with.
pub fn newest_schema() -> i64 {
    Schema::of_this_release().version()
}

/// Brings the index to the schema of `options`, all steps in one transaction;
/// the log and the position in it are not touched. Idempotent. Without an
/// index there is nothing to do: it is made in the newest schema when the
/// engine is opened.
///
/// # Errors
/// [`StorageError::Schema`] if the index is of a newer release; while a core
/// has the directory, [`StorageError::Io`]. The index is as it was then.
pub fn migrate(options: &EngineOptions) -> Result<Migrated, StorageError> {
    let _held = lock(&options.directory)?;
    let index = options.index_path();
    let to = options.schema.version();
    if !index.exists() {
        return Ok(Migrated { from: to, to });
    }
    let mut db = Connection::open(&index).map_err(index_error)?;
    // Going back is no more possible once this is known to have been done.
    db.pragma_update(None, "synchronous", "FULL").map_err(index_error)?;
    let Some((from, _)) = crate::index::read_any(&db)? else {
        return Ok(Migrated { from: to, to });
    };
    options.schema.migrate(&mut db, from)?;
    Ok(Migrated { from, to })
}

/// Copies the index, which may be at work, to the file `to`; synced, with its
/// name in the directory.
///
/// # Errors
/// [`StorageError`]; what is at `to` then is no index.
pub fn snapshot_index(options: &EngineOptions, to: &Path) -> Result<(), StorageError> {
    snapshot::copy_index(&options.index_path(), to)?;
    match to.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => snapshot::sync(parent),
        _ => snapshot::sync(Path::new(".")),
    }
}

/// Puts a copy of the index file `from`, made by [`snapshot_index`], in the
/// place of the index. What the log has behind it is replayed when the engine
/// is next opened. If it is interrupted it must be done again before that.
///
/// # Errors
/// [`StorageError::Unfit`] if the log is another one, or does not reach back;
/// then nothing has changed.
pub fn put_index_back(options: &EngineOptions, from: &Path) -> Result<(), StorageError> {
    let _held = lock(&options.directory)?;
    let unfit = |cause: &str| {
        let (from, to) = (from.display(), options.directory.display());
        StorageError::Unfit(format!("cannot put {from} into {to}: {cause}; restore a backup"))
    };
    let Some((_, state)) = snapshot::state_of(from)? else {
        return Err(unfit("it is no index"));
    };
    let of_log = concord_message_log::log_id(&options.log_directory())?;
    if of_log.is_some_and(|of_log| of_log != state.log_id) {
        return Err(unfit("it belongs to another message log"));
    }
    if !snapshot::log_reaches(options, state.applied.position)? {
        return Err(unfit("the message log does not reach back to it"));
    }
    let index = options.index_path();
    let copying = index.with_extension("copying");
    snapshot::remove_index(&copying)?;
    std::fs::copy(from, &copying).map_err(|e| io("copy", from, &e))?;
    snapshot::sync(&copying)?;
    // First the old one's WAL, which must never meet the new one.
    snapshot::remove_index(&index)?;
    std::fs::rename(&copying, &index).map_err(|e| io("rename", &copying, &e))?;
    snapshot::sync(&options.directory)
}
