//! How requests to the core fail.

use concord_base::{EnhancedStatus, Fault, Retry};
use std::path::PathBuf;

/// A request to the core's API could not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// Nobody listens on the socket, or the connection broke.
    #[error("cannot reach the core at {path}: {cause}; is the core running?")]
    Unreachable {
        /// The socket.
        path: PathBuf,
        /// The system's words.
        cause: String,
    },
    /// There is no such thing.
    #[error("the core does not have it: {0}")]
    NotFound(String),
    /// The core refused.
    #[error("the core refused ({status} {code}): {message}")]
    Refused {
        /// HTTP's.
        status: u16,
        /// The core's stable code.
        code: String,
        /// The core's words.
        message: String,
    },
    /// The answer is not what it should be.
    #[error("the core's answer cannot be read: {0}")]
    Broken(String),
}

impl Fault for ApiError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "connector.api-unreachable",
            Self::NotFound(_) => "connector.api-not-found",
            Self::Refused { .. } => "connector.api-refused",
            Self::Broken(_) => "connector.api-broken",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Unreachable { .. } => Retry::Temporary,
            Self::Refused { status: 500.., .. } => Retry::Temporary,
            Self::NotFound(_) | Self::Refused { .. } => Retry::Permanent,
            Self::Broken(_) => Retry::Bug,
        }
    }

    /// RFC 3463: X.3.2 system not accepting network messages.
    fn enhanced_status(&self) -> EnhancedStatus {
        EnhancedStatus::new(4, 3, 2)
    }
}
