//! The embedded engine: directory, store and queue of one server.
//!
//! Log first, index after. Every act (a message taken in, a flag, a queue
//! answer, a directory change) is appended to the message log and synced
//! together with all acts that are ready at that moment, then applied to the
//! SQLite index in one transaction, then answered. The log is the truth; the
//! index is what it amounts to, with the log position in the same transaction,
//! so a crash costs a replay of the tail, and a lost index a rebuild.
//!
//! Invariants: no act is answered before it is durable *and* visible to every
//! reader; applying is deterministic; there is one sync on the way to an answer.

mod act;
mod apply;
mod backup;
mod body;
mod cache;
mod checkpoint;
mod commit;
mod compact;
mod delivery;
mod embedded;
mod index;
mod open;
mod rows;
mod schedule;
mod schema;
mod signals;
mod snapshot;
mod space;
mod verify;

pub mod offline;

pub use backup::{BackupReport, BackupStep};
pub use commit::CommitFigures;
pub use compact::CompactReport;
pub use embedded::Embedded;
pub use open::{EngineOptions, OpenReport};
pub use schema::Schema;
pub use verify::{VerifyFinding, VerifyReport};
