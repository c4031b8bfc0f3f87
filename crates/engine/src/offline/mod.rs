//! Work on a root whose core is not running, and a look at one.

mod acts;
mod index;
mod reading;

pub use acts::{change_directory, renumber};
pub use index::{
    Migrated, is_only_begun, migrate, newest_schema, put_index_back, schema_of, snapshot_index,
};
pub use reading::{ReadItem, Reading};

use crate::backup::{BackupReport, BackupStep, Extent};
use crate::open::{EngineOptions, OpenReport, has_whole_log, io, lock, open};
use crate::snapshot;
use crate::verify::VerifyReport;
use concord_base::StorageError;
use std::path::Path;
use uuid::Uuid;

/// Verifies every octet of log and large bodies; blocks while it reads. Also
/// safe beside a running core.
///
/// # Errors
/// [`StorageError`] if it could not be read; damage is in the report.
pub fn verify(options: &EngineOptions) -> Result<VerifyReport, StorageError> {
    crate::verify::verify(options)
}

/// Makes the index anew from the newest good snapshot and the log behind it.
/// The old index is kept beside as `index.db.old`.
///
/// # Errors
/// [`StorageError`]; while a core has the directory, [`StorageError::Io`].
pub fn rebuild(options: &EngineOptions) -> Result<OpenReport, StorageError> {
    let held = lock(&options.directory)?;
    // Before the old index goes: it may be all that there is.
    has_whole_log(options)?;
    let index = options.index_path();
    for suffix in ["", "-wal", "-shm"] {
        let path = options.directory.join(format!("index.db{suffix}"));
        let aside = options.directory.join(format!("index.db.old{suffix}"));
        if path.exists() {
            std::fs::rename(&path, &aside).map_err(|e| io("rename", &index, &e))?;
        }
    }
    drop(held);
    Ok(open(options)?.report)
}

/// The identity of the directory's log, by which two states of one store are
/// known as such; `None` if nothing was ever stored there. Also safe beside a
/// running core.
///
/// # Errors
/// [`StorageError`] if it cannot be read.
pub fn lineage(options: &EngineOptions) -> Result<Option<Uuid>, StorageError> {
    if let Some(id) = concord_message_log::log_id(&options.log_directory())? {
        return Ok(Some(Uuid::from_bytes(id)));
    }
    let index = options.index_path();
    if !index.exists() {
        return Ok(None);
    }
    Ok(snapshot::state_of(&index)?.map(|(_, state)| Uuid::from_bytes(state.log_id)))
}

/// What of the log's end the index has seen and is gone, in words; `None` if
/// nothing. Looks at lengths only, so it takes no time; [`verify`] reads. Also
/// safe beside a running core: the log is always written first.
///
/// # Errors
/// [`StorageError`] if it cannot be read.
pub fn lost_end(options: &EngineOptions) -> Result<Option<String>, StorageError> {
    let index = options.index_path();
    if !index.exists() {
        return Ok(None);
    }
    let Some((_, state)) = snapshot::state_of(&index)? else { return Ok(None) };
    let applied = state.applied.position;
    let directory = options.log_directory();
    let segments =
        if directory.exists() { concord_message_log::segments(&directory)? } else { Vec::new() };
    let newest = segments.last().copied().unwrap_or_default();
    let path = concord_message_log::segment_path(&directory, applied.segment);
    let length = std::fs::metadata(&path).map(|found| found.len()).unwrap_or_default();
    // One that was compacted away has newer ones behind it.
    if newest > applied.segment || (newest == applied.segment && length >= applied.offset) {
        return Ok(None);
    }
    let name = path.display();
    Ok(Some(format!("the index has seen octet {} of {name}, which has {length}", applied.offset)))
}

/// Copies all that is in the directory to the directory `to`, which must be
/// new or empty; it can then be opened as an engine's directory. What
/// `previous`, an earlier backup on the same file system, has in the same form
/// is linked instead of copied. On success all of it is on disk.
///
/// # Errors
/// [`StorageError`]; while a core has the directory, [`StorageError::Io`]
/// (then [`Embedded::backup`](crate::Embedded::backup) is the way).
pub fn backup(
    options: &EngineOptions,
    to: &Path,
    previous: Option<&Path>,
    told: &mut dyn FnMut(BackupStep),
) -> Result<BackupReport, StorageError> {
    let _held = lock(&options.directory)?;
    crate::backup::write(options, to, previous, Extent::Everything, told)
}
