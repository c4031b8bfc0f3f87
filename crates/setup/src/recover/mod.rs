//! `recover`: from a backup to a running server, or a part of it.
//!
//! Everything that changes what is installed is a plan of the engine: files are
//! copied from the backup into the staging directory and hashed on the way,
//! before anything is touched; then they are moved into their places, and what
//! was there is moved into quarantine. So a recovery that is cut off is undone
//! or finished by the next verb. What fits the machine (paths, user, unit) is
//! this machine's; what the server is (identity, directory, mail, settings) is
//! the backup's.
//!
//! Single mailboxes and messages are another thing ([`mailbox`], [`message`]):
//! they are put into the running core as if somebody brought them.
//!
//! Invariants: nothing is deleted; what cannot be read is never taken for
//! empty; a connector that the directory knows afterwards has its service, or
//! the plan says what is missing (Q188632).

mod after;
mod check;
mod files;
mod mail;
mod merge;
mod plan;
mod settings;
mod single;
mod stage;

pub use mail::{MailReport, Unread};
pub use plan::prepare;
pub use single::{MailboxOptions, MessageOptions, mailbox, message};

use crate::backup::{Backup, Part};
use crate::host::Host;
use crate::verb::install::Source;
use concord_registry::{Installation, TreeFile};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What is to be recovered, and how.
#[derive(Debug, Clone)]
pub struct RecoverOptions {
    /// The parts; those that the backup does not have are left out.
    pub parts: BTreeSet<Part>,
    /// The server's new host name; else the settings' rules.
    pub hostname: Option<String>,
    /// A store of another lineage is taken over.
    pub adopt_lineage: bool,
    /// Merging the directory, objects that differ become the backup's.
    pub overwrite: bool,
    /// What a server that is not installed yet is made of.
    pub machine: Machine,
    /// Only a plan is wanted: the store is hashed, but not copied.
    pub dry_run: bool,
}

/// How Concord is to sit on a machine where it is not installed.
#[derive(Debug, Clone)]
pub struct Machine {
    /// User, unit, command.
    pub installation: Installation,
    /// Where the program is to run from.
    pub source: Source,
    /// The staged program's files, if it is.
    pub files: Vec<TreeFile>,
}

/// The settings file as it is to be here; `None` if the backup has none.
pub fn settings_text(
    host: &Host,
    backup: &Backup,
    options: &RecoverOptions,
) -> crate::Result<Option<String>> {
    Ok(settings::read(host, backup, options)?.map(|recovered| recovered.text))
}

/// Where the backup's files are staged; packages are where packages are.
pub(crate) fn staged(host: &Host) -> PathBuf {
    host.layout.staging().join("recover")
}
