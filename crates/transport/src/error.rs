//! How transport acts fail.

use concord_base::{EnhancedStatus, Fault, QueueId, Retry, StorageError};

/// A transport act could not be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No such message in the queue.
    #[error("there is no message {0} in the queue")]
    NotQueued(QueueId),
    /// A submission without recipients.
    #[error("the message has no recipients")]
    NoRecipients,
    /// The storage could not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Fault for TransportError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotQueued(_) => "transport.not-queued",
            Self::NoRecipients => "transport.no-recipients",
            Self::Storage(e) => e.code(),
        }
    }
    fn retry(&self) -> Retry {
        match self {
            Self::Storage(e) => e.retry(),
            _ => Retry::Permanent,
        }
    }
    fn enhanced_status(&self) -> EnhancedStatus {
        match self {
            Self::Storage(e) => e.enhanced_status(),
            Self::NotQueued(_) => EnhancedStatus::new(5, 0, 0),
            Self::NoRecipients => EnhancedStatus::new(5, 5, 1),
        }
    }
}
