//! Backups: everything of one server in one directory, made while it runs.
//!
//! `DIRECTORY/concord-STAMP/` has a manifest (`backup.toml`: identity, release,
//! and path, size and SHA-256 of every file) and below it `store/` (what the
//! engine can open), `registry.toml`, `etc/`, `keys/`, `connectors/` (unpacked
//! packages) and `services/` (service records). It gets its name when it is
//! whole and synced; until then it is a draft. Files of the store that have not
//! changed since the backup before are hard links to it.
//!
//! Sources: Q269782, Q296229 (restore sets put together by hand), Q188632
//! (databases without the services that they need), Q259906 (keys that were
//! in no backup).

mod collect;
mod create;
mod error;
mod list;
mod manifest;
mod verify;

pub(crate) use collect::size_of;
pub use create::{CreateOptions, Created, create};
pub use error::BackupError;
pub use list::{Listed, list};
pub use manifest::{
    Backup, BackupIdentity, BackupManifest, BackupRelease, Counts, FileEntry, MANIFEST, OTHER_KEYS,
    Part,
};
pub use verify::{VerifyFinding, VerifyReport, verify};

use crate::layout::Layout;
use concord_base::Timestamp;
use std::path::PathBuf;

/// How far long work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// What is being worked on.
    pub what: &'a str,
    /// Octets or messages done.
    pub done: u64,
    /// Of how many; 0 if that is not known yet.
    pub total: u64,
}

/// Hears of progress.
pub type Told<'a> = &'a mut dyn FnMut(Progress<'_>);

/// When the last backup was made here, if ever.
pub fn last(layout: &Layout) -> Option<Timestamp> {
    let text = std::fs::read_to_string(last_file(layout)).ok()?;
    text.trim().parse().ok().map(Timestamp)
}

pub(crate) fn last_file(layout: &Layout) -> PathBuf {
    layout.setup().join("last-backup")
}

/// Where the engine puts a copy of the store before it is taken over into a
/// backup: on the root's volume, where the core may write and links cost nothing.
pub fn store_draft(layout: &Layout) -> PathBuf {
    layout.root().data().join("backup-draft")
}
