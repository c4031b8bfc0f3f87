//! Causes that any act on durable storage can fail with, whatever its domain.

use crate::{EnhancedStatus, Fault, Retry};

/// The storage under the directory, the store and the queue could not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// Free space is below the reserve; nothing was written.
    #[error(
        "cannot take this in: only {free} bytes free on {path}, the reserve is {reserve}; free some space"
    )]
    DiskFull {
        /// The file system's path.
        path: String,
        /// Bytes free.
        free: u64,
        /// The configured reserve in bytes.
        reserve: u64,
    },
    /// The operating system refused a read or a write.
    #[error("cannot {act} {path}: {cause}")]
    Io {
        /// What was tried, an infinitive.
        act: &'static str,
        /// The file.
        path: String,
        /// The system's words.
        cause: String,
    },
    /// What is on disk is not what was written there.
    #[error("{path} is damaged at {offset}: {cause}; run 'concord store verify'")]
    Damaged {
        /// The file.
        path: String,
        /// Byte offset of the damage.
        offset: u64,
        /// What does not fit.
        cause: String,
    },
    /// The index refused a statement.
    #[error("the index failed: {0}")]
    Index(String),
    /// The index is of another release.
    #[error(
        "the index has schema {found}, and this release needs {needed}; {}",
        schema_advice(.found, .needed)
    )]
    Schema {
        /// What it has.
        found: i64,
        /// What this release needs.
        needed: i64,
    },
    /// What was asked for does not fit this store; the words say why, and what
    /// to do.
    #[error("{0}")]
    Unfit(String),
    /// The engine is stopping and takes nothing more in.
    #[error("the core is stopping")]
    Stopping,
    /// The intake budget is used up; the caller should slow down.
    #[error("the core is busy: its intake budget of {budget} bytes is in use")]
    Busy {
        /// The configured budget in bytes.
        budget: u64,
    },
    /// Somebody else is at it.
    #[error("{0} is in use by other work; try again")]
    InUse(&'static str),
    /// A state that the code holds impossible.
    #[error("internal error: {0}")]
    Bug(String),
}

fn schema_advice(found: &i64, needed: &i64) -> &'static str {
    if found < needed {
        "run 'concord setup repair'"
    } else {
        "run the newer release that wrote it"
    }
}

impl Fault for StorageError {
    fn code(&self) -> &'static str {
        match self {
            Self::DiskFull { .. } => "storage.disk-full",
            Self::Io { .. } => "storage.io",
            Self::Damaged { .. } => "storage.damaged",
            Self::Index(_) => "storage.index",
            Self::Schema { .. } => "storage.schema",
            Self::Unfit(_) => "storage.unfit",
            Self::Stopping => "storage.stopping",
            Self::Busy { .. } => "storage.busy",
            Self::InUse(_) => "storage.in-use",
            Self::Bug(_) => "storage.bug",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::DiskFull { .. } | Self::Stopping | Self::Busy { .. } | Self::InUse(_) => {
                Retry::Temporary
            }
            Self::Io { .. } | Self::Damaged { .. } | Self::Schema { .. } | Self::Unfit(_) => {
                Retry::Operator
            }
            Self::Index(_) | Self::Bug(_) => Retry::Bug,
        }
    }

    fn enhanced_status(&self) -> EnhancedStatus {
        match self {
            // RFC 3463: X.3.1 mail system full, X.3.2 not accepting, X.3.0 other
            Self::DiskFull { .. } => EnhancedStatus::new(4, 3, 1),
            Self::Stopping | Self::Busy { .. } | Self::InUse(_) => EnhancedStatus::new(4, 3, 2),
            _ => EnhancedStatus::new(4, 3, 0),
        }
    }
}
