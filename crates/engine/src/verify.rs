//! Verifying: is every octet what was written, and what does damage cost?

use crate::index::{self, index_error};
use crate::open::EngineOptions;
use concord_base::{MessageId, QueueId, StorageError};
use concord_message_log::{LargeBodies, LargeBody, Position, scan, segment_path, segments};
use rusqlite::{Connection, OpenFlags, params};
use std::path::Path;

/// Messages named for one damaged place; a whole segment can have thousands.
const NAMED: i64 = 100;

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyFinding {
    /// The file.
    pub path: String,
    /// Octets from its start.
    pub offset: u64,
    /// How many octets are affected.
    pub octets: u64,
    /// What does not fit.
    pub cause: String,
    /// Messages that are affected: their queue ids and where they lie.
    pub messages: Vec<String>,
}

/// What verifying saw.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VerifyReport {
    /// Records whose checksums hold.
    pub records: u64,
    /// Their octets.
    pub octets: u64,
    /// Large bodies whose checksums hold.
    pub large_bodies: u64,
    /// Messages that the index knows.
    pub messages: u64,
    /// Damage, in the order of the log.
    pub findings: Vec<VerifyFinding>,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Verifies the whole log and all large bodies against the index. Safe beside a
/// running core; blocks while it reads everything.
pub(crate) fn verify(options: &EngineOptions) -> Result<VerifyReport, StorageError> {
    let db = Connection::open_with_flags(
        options.index_path(),
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(index_error)?;
    db.pragma_update(None, "query_only", true).map_err(index_error)?;
    let applied = index::read_state(&db, options.schema)?.unwrap_or_default().applied;
    let directory = options.log_directory();
    let summary = scan(&directory, Position::default(), true, &mut |_| Ok(()))?;
    let mut report = VerifyReport {
        records: summary.records,
        octets: summary.octets,
        ..VerifyReport::default()
    };
    for damage in summary.damage {
        // A running core writes behind the applied position.
        if damage.torn_tail && damage.position >= applied.position {
            continue;
        }
        let (from, to) = (damage.position.offset, damage.position.offset + damage.octets);
        report.findings.push(VerifyFinding {
            path: directory
                .join(format!("{:016x}.seg", damage.position.segment))
                .display()
                .to_string(),
            offset: from,
            octets: damage.octets,
            cause: damage.cause.to_owned(),
            messages: affected(&db, 1, damage.position.segment, from, to).map_err(index_error)?,
        });
    }
    if summary.last_sequence < applied.sequence {
        report.findings.push(VerifyFinding {
            path: directory.display().to_string(),
            offset: summary.end.offset,
            octets: 0,
            cause: format!(
                "the log ends at record {}, but the index has record {}: its end is missing",
                summary.last_sequence, applied.sequence
            ),
            messages: affected(&db, 1, summary.end.segment, summary.end.offset, u64::MAX >> 1)
                .map_err(index_error)?,
        });
    }
    verify_segments(&directory, &db, &mut report)?;
    verify_large(options, &db, &mut report)?;
    report.messages = db
        .query_row("SELECT count(*) FROM message WHERE place > 0", [], |r| r.get::<_, i64>(0))
        .map_err(index_error)? as u64;
    Ok(report)
}

/// Segments of which the index has messages and that are not there. Reading the
/// log does not show them: compaction leaves such gaps too.
fn verify_segments(
    directory: &Path,
    db: &Connection,
    report: &mut VerifyReport,
) -> Result<(), StorageError> {
    let needed = || -> Result<Vec<u64>, rusqlite::Error> {
        db.prepare("SELECT DISTINCT segment FROM message WHERE place = 1 ORDER BY segment")?
            .query_map([], |r| r.get::<_, i64>(0).map(|segment| segment as u64))?
            .collect()
    };
    let suspects = needed().map_err(index_error)?;
    let there = segments(directory)?;
    if suspects.iter().all(|segment| there.contains(segment)) {
        return Ok(());
    }
    // A core that compacts meanwhile moves messages first and removes then.
    let needed = needed().map_err(index_error)?;
    for segment in needed.into_iter().filter(|s| suspects.contains(s) && !there.contains(s)) {
        report.findings.push(VerifyFinding {
            path: segment_path(directory, segment).display().to_string(),
            offset: 0,
            octets: 0,
            cause: "the file is missing".to_owned(),
            messages: affected(db, 1, segment, 0, u64::MAX >> 1).map_err(index_error)?,
        });
    }
    Ok(())
}

fn verify_large(
    options: &EngineOptions,
    db: &Connection,
    report: &mut VerifyReport,
) -> Result<(), StorageError> {
    let large = LargeBodies::open(options.large_directory())?;
    let read = || -> Result<Vec<LargeBody>, rusqlite::Error> {
        db.prepare("SELECT segment, octets, crc FROM message WHERE place = 2 ORDER BY segment")?
            .query_map([], |r| {
                Ok(LargeBody {
                    number: r.get::<_, i64>(0)? as u64,
                    octets: r.get::<_, i64>(1)? as u64,
                    crc: r.get(2)?,
                })
            })?
            .collect()
    };
    for body in read().map_err(index_error)? {
        match large.verify(body) {
            Ok(()) => report.large_bodies += 1,
            Err(StorageError::Damaged { path, offset, cause }) => {
                report.findings.push(VerifyFinding {
                    path,
                    offset,
                    octets: body.octets,
                    cause,
                    messages: affected(db, 2, body.number, 0, 1).map_err(index_error)?,
                });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The messages in a stretch of a segment, as `queue id in mailbox/folder UID n`.
fn affected(
    db: &Connection,
    place: i64,
    segment: u64,
    from: u64,
    to: u64,
) -> Result<Vec<String>, rusqlite::Error> {
    db.prepare(
        "SELECT m.id, f.name, i.uid, f.mailbox FROM message m
         LEFT JOIN item i ON i.message = m.id LEFT JOIN folder f ON f.id = i.folder
         WHERE m.place = ?1 AND m.segment = ?2 AND m.offset < ?4 AND m.offset + m.octets >= ?3
         LIMIT ?5",
    )?
    .query_map(params![place, segment as i64, from as i64, to as i64, NAMED], |r| {
        let queue_id = QueueId(MessageId(r.get::<_, i64>(0)? as u64));
        let folder: Option<String> = r.get(1)?;
        Ok(match folder {
            Some(folder) => format!(
                "{queue_id} in mailbox {} {folder} UID {}",
                r.get::<_, i64>(3)?,
                r.get::<_, i64>(2)?
            ),
            None => format!("{queue_id} in the queue"),
        })
    })?
    .collect()
}
