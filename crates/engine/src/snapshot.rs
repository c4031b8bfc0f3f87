//! Snapshots of the index. A rebuild starts from the newest good one and
//! replays the log behind it; so segments in front of it may go.

use crate::index::{self, Applied, index_error};
use crate::open::{EngineOptions, io};
use concord_base::StorageError;
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The newest, and one to fall back to.
const KEEP: usize = 2;

fn sync(path: &Path) -> Result<(), StorageError> {
    File::open(path).and_then(|f| f.sync_all()).map_err(|e| io("sync", path, &e))
}

/// Snapshots, oldest first, with the log sequence that each goes up to.
pub(crate) fn list(options: &EngineOptions) -> Vec<(u64, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(options.snapshot_directory()) else { return Vec::new() };
    let mut found: Vec<(u64, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let hex = name.to_str()?.strip_suffix(".db")?.to_owned();
            Some((u64::from_str_radix(&hex, 16).ok()?, entry.path()))
        })
        .collect();
    found.sort();
    found
}

fn open_read_only(path: &Path) -> Result<Connection, rusqlite::Error> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// Up to where a snapshot goes, if it can be read.
pub(crate) fn applied(path: &Path) -> Option<Applied> {
    let db = open_read_only(path).ok()?;
    index::read_state(&db).ok().flatten().map(|state| state.applied)
}

/// Writes a snapshot, synced, and removes what is too old.
pub(crate) fn write(options: &EngineOptions) -> Result<Applied, StorageError> {
    let directory = options.snapshot_directory();
    std::fs::create_dir_all(&directory).map_err(|e| io("make", &directory, &e))?;
    let unfinished = directory.join("unfinished");
    let _ = std::fs::remove_file(&unfinished);
    let copy = || {
        let from = open_read_only(&options.index_path())?;
        let mut to = Connection::open(&unfinished)?;
        Backup::new(&from, &mut to)?.run_to_completion(i32::MAX, Duration::ZERO, None)?;
        to.pragma_update(None, "journal_mode", "DELETE")
    };
    copy().map_err(index_error)?;
    let Some(applied) = applied(&unfinished) else {
        return Err(StorageError::Index("the snapshot cannot be read back".into()));
    };
    sync(&unfinished)?;
    let path = directory.join(format!("{:016x}.db", applied.sequence));
    std::fs::rename(&unfinished, &path).map_err(|e| io("rename", &unfinished, &e))?;
    sync(&directory)?;
    let all = list(options);
    for (_, old) in all.iter().take(all.len().saturating_sub(KEEP)) {
        std::fs::remove_file(old).map_err(|e| io("remove", old, &e))?;
    }
    Ok(applied)
}

/// Puts the newest good snapshot in the place of the index; `false` if there
/// is none.
pub(crate) fn restore_newest(options: &EngineOptions) -> Result<bool, StorageError> {
    for (_, path) in list(options).into_iter().rev() {
        let check = || -> Result<String, rusqlite::Error> {
            open_read_only(&path)?.query_row("PRAGMA quick_check", [], |r| r.get(0))
        };
        match check() {
            Ok(word) if word == "ok" => {
                let index = options.index_path();
                let copying = index.with_extension("copying");
                std::fs::copy(&path, &copying).map_err(|e| io("copy", &path, &e))?;
                sync(&copying)?;
                std::fs::rename(&copying, &index).map_err(|e| io("rename", &copying, &e))?;
                sync(&options.directory)?;
                return Ok(true);
            }
            other => {
                tracing::warn!(path = %path.display(), ?other, "a snapshot of the index is damaged");
            }
        }
    }
    Ok(false)
}
