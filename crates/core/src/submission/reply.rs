//! What a client hears of trouble with the storage.

use concord_base::{Fault as _, StorageError};
use concord_smtp::Reply;
use concord_store::StoreError;
use concord_transport::TransportError;

/// What a client hears of trouble with the store. Paths and figures are for
/// the log: the client may be anybody.
pub(super) fn store_reply(error: &StoreError) -> Reply {
    tracing::warn!(code = error.code(), %error, "a message could not be stored");
    match error {
        // RFC 5321 section 4.2.3: 452 is insufficient system storage.
        StoreError::Storage(StorageError::DiskFull { .. }) => {
            Reply::new(452, (4, 3, 1), "insufficient storage, try again later")
        }
        StoreError::Storage(
            StorageError::Stopping | StorageError::Busy { .. } | StorageError::InUse(_),
        ) => Reply::new(451, (4, 3, 2), "the mail store is busy, try again later"),
        StoreError::Storage(_) => {
            Reply::new(451, (4, 3, 0), "the message could not be stored, try again later")
        }
        other => Reply::from_fault(other),
    }
}

/// The same for trouble with the queue.
pub(super) fn transport_reply(error: TransportError) -> Reply {
    match error {
        TransportError::Storage(error) => store_reply(&error.into()),
        other => Reply::from_fault(&other),
    }
}
