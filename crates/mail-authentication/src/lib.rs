//! Who wrote a message: SPF, DKIM, DMARC and ARC, both ways.
//!
//! - [`Checker`] asks the DNS about a message that came in and gives
//!   [`Results`]; [`Results::verdict`] says what is to be done with it by what
//!   the administrator wants ([`Enforcement`]), and the results write
//!   themselves as header fields. [`forged_fields`] finds those that pretend to
//!   be ours.
//! - [`KeyStore`] makes, keeps, publishes and changes signing keys, and gives a
//!   [`Signer`], which signs (DKIM) and seals (ARC).
//! - [`Srs`] rewrites senders of forwarded mail so that SPF holds.
//! - [`report`] counts what was found for other domains' reports, writes them,
//!   and reads those of others.
//!
//! It wraps the library `mail-auth`, whose types are not in its interface. It
//! does not: speak SMTP, send messages, know our domains.
//!
//! Invariants: a check ends within [`limits::MAX_CHECK_TIME`] whatever the DNS
//! does, and asks a bounded number of questions; nothing that came from outside
//! is written into a field without a bound. Sources: RFC 7208, 6376, 8617, 7489,
//! 9989, 8601, 8460.

mod body;
mod check;
mod dns;
mod error;
mod forged;
mod headers;
mod keys;
pub mod limits;
pub mod report;
mod results;
mod sign;
mod srs;
mod srs_file;
mod verdict;

pub use check::{Arrival, Checker};
pub use error::{AuthenticationError, ReportError};
pub use forged::forged_fields;
pub use keys::{
    KeyAlgorithm, KeyEntry, KeyRecord, KeyRing, KeyState, KeyStore, RotationPolicy, RotationStep,
};
pub use results::*;
pub use sign::Signer;
pub use srs::{Srs, SrsError};
pub use srs_file::SrsFile;
pub use verdict::*;
