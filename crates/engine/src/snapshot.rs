//! Snapshots of the index. A rebuild starts from the newest good one and
//! replays the log behind it; so segments in front of it may go.

use crate::index::{self, Applied, State, index_error};
use crate::open::{EngineOptions, io};
use concord_base::StorageError;
use concord_message_log::{Position, segments};
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The newest, and one to fall back to.
const KEEP: usize = 2;
/// A source that is at work is busy only for moments.
const BUSY: Duration = Duration::from_secs(10);

pub(crate) fn sync(path: &Path) -> Result<(), StorageError> {
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

/// The schema of an index file, and what its one row says.
pub(crate) fn state_of(path: &Path) -> Result<Option<(i64, State)>, StorageError> {
    index::read_any(&open_read_only(path).map_err(index_error)?)
}

/// Up to where a snapshot goes, if it can be read.
pub(crate) fn applied(path: &Path) -> Option<Applied> {
    state_of(path).ok().flatten().map(|(_, state)| state.applied)
}

/// Removes an index file and what stands beside it, which SQLite would take
/// for a part of the next file of that name.
pub(crate) fn remove_index(path: &Path) -> Result<(), StorageError> {
    for suffix in ["-journal", "-wal", "-shm", ""] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(io("remove", path, &e));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Copies an index, which may be at work, into a file of its own; synced.
pub(crate) fn copy_index(from: &Path, to: &Path) -> Result<State, StorageError> {
    remove_index(to)?;
    let copy = || {
        let from = open_read_only(from)?;
        from.busy_timeout(BUSY)?;
        let mut to = Connection::open(to)?;
        Backup::new(&from, &mut to)?.run_to_completion(i32::MAX, Duration::ZERO, None)?;
        to.pragma_update(None, "journal_mode", "DELETE")
    };
    copy().map_err(index_error)?;
    let Some((_, state)) = state_of(to)? else {
        return Err(StorageError::Index("its copy cannot be read back".into()));
    };
    sync(to)?;
    Ok(state)
}

/// Writes a snapshot, synced, and removes what is too old.
pub(crate) fn write(options: &EngineOptions) -> Result<Applied, StorageError> {
    let directory = options.snapshot_directory();
    std::fs::create_dir_all(&directory).map_err(|e| io("make", &directory, &e))?;
    let unfinished = directory.join("unfinished");
    let applied = copy_index(&options.index_path(), &unfinished)?.applied;
    let path = directory.join(format!("{:016x}.db", applied.sequence));
    std::fs::rename(&unfinished, &path).map_err(|e| io("rename", &unfinished, &e))?;
    sync(&directory)?;
    let all = list(options);
    for (_, old) in all.iter().take(all.len().saturating_sub(KEEP)) {
        std::fs::remove_file(old).map_err(|e| io("remove", old, &e))?;
    }
    Ok(applied)
}

/// Puts a copy of an index file in the place of the index; older schemas are
/// brought up to date in the copy.
pub(crate) fn put_in_place(options: &EngineOptions, from: &Path) -> Result<(), StorageError> {
    let index = options.index_path();
    let copying = index.with_extension("copying");
    remove_index(&copying)?;
    std::fs::copy(from, &copying).map_err(|e| io("copy", from, &e))?;
    if let Some((found, _)) = state_of(&copying)?
        && found < options.schema.version()
    {
        let mut db = Connection::open(&copying).map_err(index_error)?;
        options.schema.migrate(&mut db, found)?;
    }
    sync(&copying)?;
    std::fs::rename(&copying, &index).map_err(|e| io("rename", &copying, &e))?;
    sync(&options.directory)
}

/// Whether the log has everything behind a position.
pub(crate) fn log_reaches(options: &EngineOptions, from: Position) -> Result<bool, StorageError> {
    let numbers = segments(&options.log_directory()).unwrap_or_default();
    let behind: Vec<u64> = numbers.into_iter().filter(|n| *n >= from.segment).collect();
    let whole = behind.windows(2).all(|pair| matches!(pair, [a, b] if a + 1 == *b));
    let begins = match behind.first() {
        Some(first) => *first == from.segment || (from.segment == 0 && *first == 1),
        None => from.segment == 0,
    };
    Ok(whole && begins)
}

/// Puts the newest good snapshot in the place of the index; `false` if there
/// is none.
pub(crate) fn restore_newest(options: &EngineOptions) -> Result<bool, StorageError> {
    let needed = options.schema.version();
    let mut newer = None;
    for (_, path) in list(options).into_iter().rev() {
        let check = || -> Result<String, rusqlite::Error> {
            open_read_only(&path)?.query_row("PRAGMA quick_check", [], |r| r.get(0))
        };
        match check() {
            Ok(word) if word == "ok" => {}
            other => {
                tracing::warn!(path = %path.display(), ?other, "a snapshot of the index is damaged");
                continue;
            }
        }
        match state_of(&path)? {
            // The release that wrote it was left again.
            Some((found, _)) if found > needed => newer = Some(found),
            Some((_, state)) if log_reaches(options, state.applied.position)? => {
                put_in_place(options, &path)?;
                return Ok(true);
            }
            _ => {
                tracing::warn!(path = %path.display(), "the log does not reach back to a snapshot")
            }
        }
    }
    match newer {
        Some(found) => Err(StorageError::Schema { found, needed }),
        None => Ok(false),
    }
}
