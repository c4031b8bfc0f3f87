//! The connector to GroupWise, by its API gateway.
//!
//! - [`run()`] is the service: what the core brings by LMTP becomes files in
//!   `API_IN` ([`outbound`]), and files in `API_OUT` become messages for the core
//!   ([`inbound`]). Reports go both ways, as status on the one side and as
//!   delivery reports and read receipts on the other.
//! - [`convert`] is pure: messages to items and back, reports to status and
//!   back.
//! - [`gateway`] is all that touches the gateway's directories.
//!
//! What is not here: the format of the files (`concord-groupwise-api`),
//! decisions about directory synchronisation, free and busy times (a search is
//! not answered, since every answer that could be given would be wrong).
//!
//! Invariants: nothing is kept but in the core and in the gateway, so killing it
//! loses nothing; `250` is said when files and directories are synced; a file
//! from GroupWise goes only when the core has said `250`, or when its sender or
//! an administrator is told; names and ids follow from the message, so that
//! a second attempt is known as one; converting the same message twice gives the
//! same octets; what cannot be carried over is said in the message itself.
//!
//! Sources: KB articles as cited beside the rules (Q222506, Q253349, Q254353
//! above all), RFC 2033, 3461, 3464, 8098.

mod book;
pub mod convert;
mod error;
mod fault;
pub mod gateway;
mod hops;
mod inbound;
mod link;
mod outbound;
mod probes;
mod run;
mod settings;
mod sync;
mod telemetry;
mod work;

pub use error::GroupWiseError;
pub use gateway::GatewayError;
pub use run::run;
pub use settings::{DEFAULT_MESSAGE_SIZE, GroupWiseSettings};

/// Sends `data` as a message to GroupWise and reads it as a file from there.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    convert::fuzz(data);
}
