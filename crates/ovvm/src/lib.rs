//! The connector to IBM OfficeVision/VM (PROFS) and CMS mail, over NJE.
//!
//! - [`run()`] is the service: a node with links to its partners. What the core
//!   brings by LMTP becomes spool files ([`outbound`]); spool files that partners
//!   send become messages for the core ([`inbound`]). Reports go both ways, as
//!   acknowledgements and notes on the one side and as delivery reports and read
//!   receipts on the other.
//!
//! What is not here: the protocol (`concord-nje`), its streams
//! (`concord-nje-tokio`), formats and conversions (`concord-cms-mail`), decisions
//! about directory synchronisation.
//!
//! Invariants: nothing is kept but in the core and at the partners, so killing it
//! loses nothing; a partner's file is acknowledged when the core has it, and the
//! core is told `250` when a partner has acknowledged every file of a message; a
//! file that comes again is known by its key, which the core keeps together with
//! what became of it; converting the same message twice gives the same octets and
//! the same keys; what cannot be read goes to quarantine and never stops others.
//!
//! Sources: KB articles as cited beside the rules (Q215494, Q240439, Q188819,
//! Q216474 above all), RFC 2033, 3461, 3464, 8098.

mod asked;
mod book;
mod error;
mod fault;
mod inbound;
mod links;
mod orders;
mod outbound;
mod run;
mod settings;
mod shared;
mod spool;
mod sync;
mod telemetry;
mod work;

pub use error::OvvmError;
pub use orders::wire as operator;
pub use run::{Sockets, run};
pub use settings::{
    Acknowledge, DEFAULT_MESSAGE_SIZE, LinkSetting, MailForm, NodeSetting, NodeSettings,
    OvvmSettings,
};
