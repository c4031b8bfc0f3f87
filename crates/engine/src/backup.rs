//! Backups: a copy of the index, and of what of the log and the large bodies
//! it refers to. A backup is an engine's directory and can be opened as one.
//!
//! The index comes first, because it says which position of the log it stands
//! for; what the log has up to there does not change any more. Who calls sees
//! to it that no segment and no large body is removed meanwhile.

use crate::index::index_error;
use crate::open::{EngineOptions, io};
use crate::snapshot::{copy_index, sync};
use concord_base::StorageError;
use concord_message_log::{BLOCK, LargeBodies, Position, segment_path, segments};
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeSet;
use std::fs::{File, FileTimes, Metadata};
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Octets copied between two steps that are told.
const PIECE: u64 = 16 << 20;

/// How far a backup is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupStep {
    /// What is being copied.
    pub what: &'static str,
    /// Octets done.
    pub done: u64,
    /// Of how many; 0 if that is not known yet.
    pub total: u64,
}

/// What a backup has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BackupReport {
    /// Up to where in the log its index goes.
    pub position: Position,
    /// The number of the last record in its index.
    pub sequence: u64,
    /// The log's identity.
    pub log_id: [u8; 16],
    /// The index's schema.
    pub schema: i64,
    /// Segments of the log.
    pub segments: u64,
    /// Large bodies.
    pub large_bodies: u64,
    /// Octets of the index, segments and large bodies that were copied.
    pub copied_octets: u64,
    /// Octets of segments and large bodies that were linked.
    pub linked_octets: u64,
}

/// How much of the log belongs to a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Up to the index's position: what lies behind it is being written.
    Index,
    /// All: nobody writes, and what the index does not have yet was
    /// acknowledged all the same.
    Everything,
}

/// A file to copy: how many of its octets, and whether it is finished.
struct Wanted {
    from: std::path::PathBuf,
    name: String,
    octets: u64,
    finished: bool,
}

pub(crate) fn write(
    options: &EngineOptions,
    to: &Path,
    previous: Option<&Path>,
    extent: Extent,
    told: &mut dyn FnMut(BackupStep),
) -> Result<BackupReport, StorageError> {
    make_empty(to)?;
    told(BackupStep { what: "index", done: 0, total: 0 });
    let (mut report, log, large) = index(options, to, extent)?;
    report.segments = log.len() as u64;
    report.large_bodies = large.len() as u64;
    let files: u64 = log.iter().chain(&large).map(|wanted| wanted.octets).sum();
    let total = report.copied_octets + files;
    let mut copying = Copying { report, total, told };
    for (name, what, files) in [("log", "message log", log), ("large", "large messages", large)] {
        let there = to.join(name);
        std::fs::create_dir_all(&there).map_err(|e| io("make", &there, &e))?;
        let before = previous.map(|previous| previous.join(name));
        for file in files {
            copying.file(&file, &there, before.as_deref(), what)?;
        }
        sync(&there)?;
    }
    sync(to)?;
    if let Some(parent) = to.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        sync(parent)?;
    }
    Ok(copying.report)
}

/// Copies the index; says what of the log and of the large bodies belongs to it.
fn index(
    options: &EngineOptions,
    to: &Path,
    extent: Extent,
) -> Result<(BackupReport, Vec<Wanted>, Vec<Wanted>), StorageError> {
    let index = to.join("index.db");
    let state = copy_index(&options.index_path(), &index)?;
    let db = Connection::open_with_flags(&index, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(index_error)?;
    let report = BackupReport {
        position: state.applied.position,
        sequence: state.applied.sequence,
        log_id: state.log_id,
        schema: crate::index::read_any(&db)?.map_or(0, |(schema, _)| schema),
        copied_octets: length(&index)?.len(),
        ..BackupReport::default()
    };
    let log = wanted_segments(options, &db, state.applied.position, extent)?;
    let large = wanted_large(options, &db, extent)?;
    Ok((report, log, large))
}

fn make_empty(to: &Path) -> Result<(), StorageError> {
    std::fs::create_dir_all(to).map_err(|e| io("make", to, &e))?;
    let mut found = std::fs::read_dir(to).map_err(|e| io("list", to, &e))?;
    if found.next().is_some() {
        let to = to.display();
        return Err(StorageError::Unfit(format!(
            "cannot write a backup to {to}: the directory is not empty; name a new one"
        )));
    }
    Ok(())
}

/// Segments with live bodies, and those from the index's position on.
fn wanted_segments(
    options: &EngineOptions,
    db: &Connection,
    position: Position,
    extent: Extent,
) -> Result<Vec<Wanted>, StorageError> {
    let directory = options.log_directory();
    let present = segments(&directory).unwrap_or_default();
    let live = numbers(db, "SELECT DISTINCT segment FROM message WHERE place = 1")?;
    if let Some(missing) = live.iter().chain([&position.segment]).find(|n| !present.contains(n))
        && *missing > 0
    {
        return Err(StorageError::Damaged {
            path: segment_path(&directory, *missing).display().to_string(),
            offset: 0,
            cause: "the index refers to it, and it is missing".into(),
        });
    }
    let last = present.last().copied();
    let mut wanted = Vec::new();
    for number in present {
        let behind = number > position.segment;
        if !(live.contains(&number) || number == position.segment || behind)
            || (behind && extent == Extent::Index)
        {
            continue;
        }
        let from = segment_path(&directory, number);
        let mut octets = length(&from)?.len();
        if number == position.segment && extent == Extent::Index {
            // Writes begin at blocks: up to the next one all is of this position.
            octets = octets.min(position.offset.next_multiple_of(BLOCK));
        }
        let name = format!("{number:016x}.seg");
        wanted.push(Wanted { from, name, octets, finished: last != Some(number) });
    }
    Ok(wanted)
}

/// Large bodies that the index knows; of a whole log all that are there, since
/// records that the index does not have may refer to them.
fn wanted_large(
    options: &EngineOptions,
    db: &Connection,
    extent: Extent,
) -> Result<Vec<Wanted>, StorageError> {
    let large = LargeBodies::read_only(options.large_directory());
    let mut all = numbers(db, "SELECT segment FROM message WHERE place = 2")?;
    if extent == Extent::Everything && options.large_directory().exists() {
        all.extend(large.numbers()?);
    }
    all.into_iter()
        .map(|number| {
            let from = large.path(number);
            let octets = length(&from)?.len();
            Ok(Wanted { from, name: format!("{number:016x}.body"), octets, finished: true })
        })
        .collect()
}

fn numbers(db: &Connection, sql: &str) -> Result<BTreeSet<u64>, StorageError> {
    let read = || -> Result<BTreeSet<u64>, rusqlite::Error> {
        db.prepare(sql)?.query_map([], |r| Ok(r.get::<_, i64>(0)? as u64))?.collect()
    };
    read().map_err(index_error)
}

fn length(path: &Path) -> Result<Metadata, StorageError> {
    std::fs::metadata(path).map_err(|e| io("read", path, &e))
}

struct Copying<'a> {
    report: BackupReport,
    total: u64,
    told: &'a mut dyn FnMut(BackupStep),
}

impl Copying<'_> {
    fn tell(&mut self, what: &'static str) {
        let done = self.report.copied_octets + self.report.linked_octets;
        (self.told)(BackupStep { what, done, total: self.total });
    }

    /// Links or copies one file.
    fn file(
        &mut self,
        wanted: &Wanted,
        to: &Path,
        previous: Option<&Path>,
        what: &'static str,
    ) -> Result<(), StorageError> {
        let target = to.join(&wanted.name);
        let before = previous.map(|previous| previous.join(&wanted.name));
        if let Some(before) = before.filter(|before| is_same(wanted, before))
            && std::fs::hard_link(&before, &target).is_ok()
        {
            self.report.linked_octets += wanted.octets;
        } else {
            self.copy(wanted, &target, what)?;
        }
        self.tell(what);
        Ok(())
    }

    fn copy(
        &mut self,
        wanted: &Wanted,
        target: &Path,
        what: &'static str,
    ) -> Result<(), StorageError> {
        let from = File::open(&wanted.from).map_err(|e| io("open", &wanted.from, &e))?;
        let times = from.metadata().and_then(|m| m.modified());
        let written = |e: &std::io::Error| match e.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                StorageError::DiskFull { path: target.display().to_string(), free: 0, reserve: 0 }
            }
            _ => io("copy", target, e),
        };
        let mut to =
            File::options().write(true).create_new(true).open(target).map_err(|e| written(&e))?;
        let mut left = wanted.octets;
        while left > 0 {
            let piece = left.min(PIECE);
            let copied = std::io::copy(&mut (&from).take(piece), &mut to);
            let copied = copied.map_err(|e| written(&e))?;
            if copied < piece {
                return Err(StorageError::Damaged {
                    path: wanted.from.display().to_string(),
                    offset: wanted.octets - left + copied,
                    cause: "the file is shorter than its index says".into(),
                });
            }
            left -= copied;
            self.report.copied_octets += copied;
            if left > 0 {
                self.tell(what);
            }
        }
        if wanted.finished {
            // By it the next backup knows the same file again.
            times
                .and_then(|at| to.set_times(FileTimes::new().set_modified(at)))
                .map_err(|e| written(&e))?;
        }
        to.sync_all().map_err(|e| written(&e))
    }
}

/// Whether an earlier backup has the same file. Finished files do not change;
/// one that was being written then has a time of its own.
fn is_same(wanted: &Wanted, before: &Path) -> bool {
    let (Ok(now), Ok(then)) = (std::fs::metadata(&wanted.from), std::fs::metadata(before)) else {
        return false;
    };
    wanted.finished
        && now.len() == wanted.octets
        && then.len() == now.len()
        && matches!((now.modified(), then.modified()), (Ok(a), Ok(b)) if a == b)
}
