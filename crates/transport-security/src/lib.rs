//! What TLS outbound mail needs, and who says so.
//!
//! - [`sts`]: MTA-STS (RFC 8461): the TXT record, the policy, its fetch over
//!   HTTPS, and the policies that are kept;
//! - [`tlsa`]: DANE (RFC 7671, 7672): TLSA records, which of them can be used,
//!   and whether a certificate matches them;
//! - [`Mandate`]: which hosts may be used and what is asked of each, a pure
//!   function of the administrator's settings, MTA-STS, TLSA and what the
//!   sender asks for (RFC 8689);
//! - [`peer`]: the mandate as rustls asks it of a peer, and what was found;
//! - [`Ledger`]: the counts of TLS reports (RFC 8460); [`report`] reads a day.
//!
//! It does not: ask the DNS, open connections to mail hosts, speak SMTP, send
//! reports. Who does (`internet-mail`) brings answers of the DNS with their
//! DNSSEC status.
//!
//! Invariants: parsing and deciding are pure (no I/O, no clock) and never
//! panic; a failing DANE is never mended by MTA-STS (RFC 8461 section 2); a
//! policy that was kept is in force until its `max_age` is over, whatever can
//! be fetched (section 3.3); each failure is one variant of
//! [`SecurityError`].

mod error;
pub mod limits;
mod mandate;
pub mod peer;
mod reports;
pub mod sts;
pub mod tlsa;

pub use error::{CertificateProblem, LedgerError, SecurityError};
pub use mandate::{Basis, Demand, HostMandate, Mandate, TlsaAnswer, Wishes};
pub use reports::{Applied, Ledger, SessionFailure, days, report};

/// Feeds every parser of the crate; for fuzzing.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    sts::fuzz(data);
    tlsa::fuzz(data);
}
