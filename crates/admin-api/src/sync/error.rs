//! Why a run cannot be made, or ends.

use concord_base::{EnhancedStatus, Fault, Retry, StorageError};
use concord_directory::DirectoryError;

/// A run of directory synchronisation could not be made, or ended early. What it
/// had done by then stays; the next run goes on from there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SyncError {
    /// The package has no tables.
    #[error(
        "cannot synchronise {connector}: there are no tables of attributes for '{component}'; only \
         connectors to GroupWise and Notes have them"
    )]
    NoTables {
        /// The connector.
        connector: String,
        /// Its package.
        component: String,
    },
    /// Rules, filters or other settings have mistakes; all of them are told.
    /// Nothing was changed.
    #[error("cannot synchronise {connector}: {} of its settings have mistakes:\n{}", .mistakes.len(), .mistakes.join("\n"))]
    Settings {
        /// The connector.
        connector: String,
        /// One for each mistake, with the setting's name and the place in it.
        mistakes: Vec<String>,
    },
    /// The connector gave no sign of life.
    #[error(
        "the run was given up: connector {connector} gave no sign of life for {seconds} seconds; \
         'concord service status' says whether it runs"
    )]
    Silent {
        /// The connector.
        connector: String,
        /// How long.
        seconds: u64,
    },
    /// The connector said that it cannot go on.
    #[error("connector {connector} could not go on: {cause}")]
    Connector {
        /// The connector.
        connector: String,
        /// Its words.
        cause: String,
    },
    /// More than one run may hold.
    #[error("the run was given up: {what} has more than {limit} entries")]
    TooLarge {
        /// Which listing.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// What is not known as a run, or is over.
    #[error("there is no run {run} of {connector}: it is over, or the core was started anew")]
    NoRun {
        /// The connector.
        connector: String,
        /// As asked.
        run: u64,
    },
    /// A connector answers what was not asked.
    #[error("run {run} of {connector} does not wait for {what} now")]
    NotNow {
        /// The connector.
        connector: String,
        /// The run.
        run: u64,
        /// What came.
        what: &'static str,
    },
    /// Another run is under way.
    #[error("run {run} of {connector} is under way; try again when it is over")]
    Busy {
        /// The connector.
        connector: String,
        /// The run.
        run: u64,
    },
    /// The core stops, or was stopped.
    #[error("the core was stopped during the run; run it again")]
    Stopped,
    /// The directory refused.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

impl From<StorageError> for SyncError {
    fn from(error: StorageError) -> Self {
        Self::Directory(error.into())
    }
}

impl Fault for SyncError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoTables { .. } => "sync.no-tables",
            Self::Settings { .. } => "sync.settings",
            Self::Silent { .. } => "sync.silent",
            Self::Connector { .. } => "sync.connector",
            Self::TooLarge { .. } => "sync.too-large",
            Self::NoRun { .. } => "sync.no-run",
            Self::NotNow { .. } => "sync.not-now",
            Self::Busy { .. } => "sync.busy",
            Self::Stopped => "sync.stopped",
            Self::Directory(error) => error.code(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::NoTables { .. } | Self::NoRun { .. } | Self::NotNow { .. } => Retry::Permanent,
            Self::Settings { .. } | Self::TooLarge { .. } => Retry::Operator,
            Self::Silent { .. } | Self::Connector { .. } | Self::Busy { .. } | Self::Stopped => {
                Retry::Temporary
            }
            Self::Directory(error) => error.retry(),
        }
    }

    fn enhanced_status(&self) -> EnhancedStatus {
        EnhancedStatus::new(4, 3, 0)
    }
}
