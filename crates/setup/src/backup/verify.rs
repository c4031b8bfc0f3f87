//! `backup verify`: is every octet what was written, and can every message be
//! read?

use super::{Backup, FileEntry, Progress, Told};
use crate::error::{Result, SetupError};
use concord_base::{Clock, MessageId, StorageError, SystemClock};
use concord_directory::Kind;
use concord_engine::offline::Reading;
use concord_engine::{EngineOptions, offline};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;

/// Ids of messages read from the index at a time.
const PAGE: u32 = 1_000;
/// Findings that are told one by one; behind it they are counted.
const TOLD: usize = 1_000;

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyFinding {
    /// The file, a path in the backup, or the message.
    pub place: String,
    /// What is wrong.
    pub what: String,
}

/// What verifying saw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// Files that were hashed.
    pub files: u64,
    /// Their octets.
    pub octets: u64,
    /// Mailboxes of the directory.
    pub mailboxes: u64,
    /// Messages that were read.
    pub messages: u64,
    /// Findings, those that are not told one by one too.
    pub found: u64,
    /// The findings.
    pub findings: Vec<VerifyFinding>,
}

impl VerifyReport {
    fn find(&mut self, place: impl std::fmt::Display, what: impl std::fmt::Display) {
        self.found += 1;
        if self.findings.len() < TOLD {
            self.findings.push(VerifyFinding { place: place.to_string(), what: what.to_string() });
        }
    }

    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.found == 0
    }
}

/// Reads everything once: every file against its hash, the index against
/// itself and against the log, every message against its checksum.
pub fn verify(backup: &Backup, told: Told<'_>) -> Result<VerifyReport> {
    let mut report = VerifyReport::default();
    files(backup, &mut report, told);
    if backup.has_store()
        && let Err(error) = store(backup, &mut report, told)
    {
        report.find("store", error);
    }
    Ok(report)
}

fn files(backup: &Backup, report: &mut VerifyReport, told: Told<'_>) {
    let total = backup.manifest.size();
    for entry in &backup.manifest.files {
        told(Progress { what: "checking files", done: report.octets, total });
        match backup.check(entry) {
            Ok(()) => {}
            Err(SetupError::Backup(super::BackupError::Damaged { cause, .. })) => {
                report.find(entry.path.display(), cause);
            }
            Err(error) => report.find(entry.path.display(), error),
        }
        report.files += 1;
        report.octets += entry.size;
    }
    let listed: BTreeSet<&Path> = backup.manifest.files.iter().map(path_of).collect();
    strangers(backup, &backup.path, &listed, report);
}

fn path_of(entry: &FileEntry) -> &Path {
    &entry.path
}

/// Files that the manifest does not know: somebody put them there.
fn strangers(
    backup: &Backup,
    directory: &Path,
    listed: &BTreeSet<&Path>,
    report: &mut VerifyReport,
) {
    for entry in crate::survey::entries(directory) {
        let inside = entry.strip_prefix(&backup.path).unwrap_or(&entry).to_owned();
        if entry.is_dir() && !entry.is_symlink() {
            strangers(backup, &entry, listed, report);
        } else if !listed.contains(inside.as_path()) && inside != Path::new(super::MANIFEST) {
            report.find(inside.display(), "backup.toml does not know it");
        }
    }
}

fn store(
    backup: &Backup,
    report: &mut VerifyReport,
    told: Told<'_>,
) -> std::result::Result<(), StorageError> {
    let directory = backup.store();
    let reading = Reading::open(&directory)?;
    for line in reading.quick_check()? {
        report.find("store/index.db", line);
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let of_log = offline::lineage(&EngineOptions::new(directory, clock))?;
    let of_index = Uuid::from_bytes(reading.log_id());
    if let Some(of_log) = of_log.filter(|of_log| *of_log != of_index) {
        let what = format!("it is the log {of_log}, the index is of {of_index}");
        report.find("store/log", what);
    }
    if backup.manifest.identity.lineage.is_some_and(|told| told != of_index) {
        report.find("store/index.db", format!("it is of log {of_index}, backup.toml of another"));
    }
    report.mailboxes = reading.object_count(Kind::Mailbox)?;
    bodies(backup, &reading, report, told)
}

fn bodies(
    backup: &Backup,
    reading: &Reading,
    report: &mut VerifyReport,
    told: Told<'_>,
) -> std::result::Result<(), StorageError> {
    let total = reading.message_count()?;
    let mut after = MessageId(0);
    loop {
        let page = reading.messages_after(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = *last;
        for message in page {
            told(Progress { what: "reading messages", done: report.messages, total });
            let place = || format!("message {}", concord_base::QueueId(message));
            match reading.body(message) {
                Ok(Some(_)) => {}
                Ok(None) => report.find(place(), "it has no body"),
                Err(error) => report.find(place(), short(backup, &error)),
            }
            report.messages += 1;
        }
    }
}

/// Paths as they are in the backup.
fn short(backup: &Backup, error: &StorageError) -> String {
    let prefix: PathBuf = backup.path.join("");
    error.to_string().replace(&prefix.display().to_string(), "")
}
