//! What every connector shares.
//!
//! - Towards the connector: [`serve_lmtp`] runs the LMTP server on the Unix
//!   socket that the controller hands over; the core brings outbound messages
//!   there, and the connector's [`Deliver`] hands them to the foreign system
//!   and answers per recipient ([`Outcome`]).
//! - Towards the core: [`Submissions`] keeps sessions to the core's submission
//!   socket (SMTP with XFORWARD) and hands whole messages over
//!   ([`Submission`]); [`CoreApi`] asks the core's API, whose shapes
//!   are in [`wire`], with the token that the controller gave ([`Tokens`]).
//! - The service: [`ConnectorConfig`], [`own_object`], [`changed_settings`].
//! - In between: [`Collected`] holds a message while it comes, [`Gathering`]
//!   gives it whole to a connector that converts ([`DeliverWhole`]), [`Recipients`]
//!   knows for a while what the directory said of whom, and
//!   [`ConversionMemory`] bounds what is converted at once.
//! - Directory synchronisation: a connector implements [`Synchronises`], and
//!   [`run_synchronisation`] does the rest; the core plans and decides.
//!
//! A connector keeps no state on disk: it answers 2xx only when the foreign
//! system has the message, 4xx when it should come again, 5xx when never.
//! Killing it at any moment loses nothing. Sources: RFC 2033 (LMTP), RFC 5321,
//! Postfix's XFORWARD_README.

mod api;
mod collect;
mod deliver;
mod hand_over;
mod lmtp;
mod memory;
mod recipients;
mod service;
mod submit;
mod synchronise;
mod token;
mod whole;
pub mod wire;

pub use api::{ApiError, CoreApi};

pub use collect::Collected;
pub use deliver::{Deliver, Outcome};
pub use hand_over::{Submission, Submitted, on_one_line};
pub use lmtp::{LmtpOptions, core_timeouts, serve_lmtp};
pub use memory::{ConversionMemory, Room};
pub use recipients::Recipients;
pub use service::{ConnectorConfig, Say, another_handle, changed_settings, own_object};
pub use submit::{ALREADY_TAKEN, AUTHENTICATED_AS, CoreSession, Submissions, SubmitError};
pub use synchronise::{
    EntrySink, PresentSink, SynchroniseError, Synchronises, run_synchronisation,
};
pub use token::{TOKEN_KEY_OCTETS, Tokens};
pub use whole::{DeliverWhole, Gathering, Whole};
