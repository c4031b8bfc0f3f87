//! How backups and recoveries fail.

use concord_base::{Fault, Retry};
use std::path::PathBuf;

/// A backup could not be made, read or used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It is no backup, or not a whole one.
    #[error(
        "cannot read the backup {path}: {cause}; 'concord backup list' tells which ones are whole"
    )]
    Unreadable {
        /// The backup's directory.
        path: PathBuf,
        /// What does not fit.
        cause: String,
    },
    /// A file of it is not what was written.
    #[error(
        "cannot use the backup {backup}: {file} {cause}; nothing was changed; take another \
         backup, or single mailboxes with --mailbox NAME --salvage"
    )]
    Damaged {
        /// The backup's directory.
        backup: PathBuf,
        /// The file, a path in it.
        file: PathBuf,
        /// What does not fit.
        cause: String,
    },
    /// The directory cannot have backups.
    #[error("cannot make a backup in {path}: {cause}")]
    Place {
        /// The directory.
        path: PathBuf,
        /// Why not, and what to do.
        cause: String,
    },
    /// It is of another organisation.
    #[error(
        "cannot recover: the backup is of organisation '{backup}', this server is of '{here}'; \
         take a backup of '{here}', or single mailboxes with --mailbox NAME"
    )]
    OtherOrganisation {
        /// The backup's organisation.
        backup: String,
        /// This server's.
        here: String,
    },
    /// It is of another installation of the same organisation.
    #[error(
        "cannot recover: the backup's store is {backup}, this server's is {here}, another one of \
         the same organisation '{organisation}'; if the backup is to take its place, give \
         --adopt-lineage"
    )]
    OtherLineage {
        /// The organisation of both.
        organisation: String,
        /// The backup's log.
        backup: String,
        /// This server's log.
        here: String,
    },
    /// What is in the store here is not known; unknown is never taken for gone.
    #[error(
        "cannot recover the directory: the one here cannot be read, so nobody knows what is \
         missing ({0}); mend it ('concord store verify', 'concord store rebuild'), or recover the \
         whole store with --parts store"
    )]
    UnknownStore(String),
    /// It was written by a newer release.
    #[error(
        "cannot recover: the backup was written by {version}, whose {what} this release does not \
         know; install {version} or a newer one first"
    )]
    Newer {
        /// The release that wrote it.
        version: String,
        /// What is newer.
        what: &'static str,
    },
    /// It does not have what was asked for.
    #[error("cannot recover: the backup has no {what}; {advice}")]
    Lacks {
        /// What it has not.
        what: String,
        /// What to do.
        advice: String,
    },
    /// There is no room for it.
    #[error(
        "cannot recover: {needed} are needed in {path}, {free} are free; free some space, or take \
         fewer --parts"
    )]
    NoSpace {
        /// Where.
        path: PathBuf,
        /// How much, for people.
        needed: String,
        /// How much there is.
        free: String,
    },
}

impl Fault for BackupError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "backup.unreadable",
            Self::Damaged { .. } => "backup.damaged",
            Self::Place { .. } => "backup.place",
            Self::OtherOrganisation { .. } => "recover.other-organisation",
            Self::OtherLineage { .. } => "recover.other-lineage",
            Self::UnknownStore(_) => "recover.unknown-store",
            Self::Newer { .. } => "recover.newer",
            Self::Lacks { .. } => "recover.lacks",
            Self::NoSpace { .. } => "recover.no-space",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::OtherOrganisation { .. } | Self::OtherLineage { .. } => Retry::Permanent,
            _ => Retry::Operator,
        }
    }
}
