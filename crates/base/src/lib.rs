//! What every crate of Concord shares, and nothing else: error classes, the
//! clock, identifiers, sizes with units, and networks.
//!
//! No I/O but the one system clock ([`SystemClock`]). Floor: ground.

mod clock;
mod fault;
mod id;
mod network;
mod size;
mod storage;

pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use fault::{EnhancedStatus, Fault, Retry};
pub use id::{DeliveryId, FolderId, MailboxId, MessageId, ObjectId, ParseIdError, QueueId};
pub use network::{Network, ParseNetworkError};
pub use size::{ByteSize, ParseByteSizeError};
pub use storage::StorageError;
