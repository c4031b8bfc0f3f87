//! What every connector shares.
//!
//! - Towards the connector: [`serve_lmtp`] runs the LMTP server on the Unix
//!   socket that the controller hands over; the core brings outbound messages
//!   there, and the connector's [`Deliver`] hands them to the foreign system
//!   and answers per recipient ([`Outcome`]).
//! - Towards the core: [`Submissions`] keeps sessions to the core's submission
//!   socket (SMTP with XFORWARD).
//!
//! A connector keeps no state on disk: it answers 2xx only when the foreign
//! system has the message, 4xx when it should come again, 5xx when never.
//! Killing it at any moment loses nothing. Sources: RFC 2033 (LMTP), RFC 5321,
//! Postfix's XFORWARD_README.

mod deliver;
mod lmtp;
mod submit;

pub use deliver::{Deliver, Outcome};
pub use lmtp::{LmtpOptions, core_timeouts, serve_lmtp};
pub use submit::{CoreSession, Submissions, SubmitError};
