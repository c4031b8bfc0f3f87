//! Why the core ends.

use concord_base::{Fault, Retry, StorageError};

/// The core could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum CoreError {
    /// Storage could not be opened.
    #[error("cannot open the store: {0}")]
    Open(#[source] StorageError),
    /// Storage failed while running: a sync or the index.
    #[error(
        "the store cannot be relied on any more; the core ends, and its next start replays the message log"
    )]
    StoreFailed,
    /// A socket could not be used.
    #[error("cannot use the socket '{socket}': {cause}")]
    Socket {
        /// Its name.
        socket: &'static str,
        /// The system's words.
        cause: std::io::Error,
    },
    /// Metrics could not be set up.
    #[error("cannot set up metrics: {0}")]
    Metrics(String),
}

impl Fault for CoreError {
    fn code(&self) -> &'static str {
        match self {
            Self::Open(error) => error.code(),
            Self::StoreFailed => "core.store-failed",
            Self::Socket { .. } => "core.socket",
            Self::Metrics(_) => "core.metrics",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Open(error) => error.retry(),
            Self::StoreFailed => Retry::Temporary,
            Self::Socket { .. } => Retry::Operator,
            Self::Metrics(_) => Retry::Bug,
        }
    }
}
