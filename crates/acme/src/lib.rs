//! Certificates from a certification authority that speaks ACME.
//!
//! [`Renewer`] keeps one certificate good: it orders it, renews it at two
//! thirds of its life ([`schedule`]), remembers what failed ([`AcmeState`])
//! and tries again later and later. Names are proved in one of the ways of
//! [`Proof`]: HTTP-01 and DNS-01 (RFC 8555 section 8), TLS-ALPN-01 (RFC 8737).
//! For DNS-01 records are made by RFC 2136 with TSIG (RFC 8945) or by a
//! program of the administrator's.
//!
//! The protocol itself is the crate `instant-acme`. Not here: who answers on
//! ports 80 and 443 (the web service asks [`Challenges`]), and who uses the
//! certificate (every service reads the file again when it changes,
//! `concord-tls`).
//!
//! Invariants: the certificate file is replaced at once or not at all, and only
//! by one that fits its key and has every name; an answer to a challenge is
//! taken away when its order ends, however it ends; time and randomness are
//! parameters; every wait is bounded.

mod account;
mod challenges;
mod client;
mod error;
mod files;
mod order;
mod plan;
mod proof;
mod renewer;
pub mod schedule;
mod state;

pub use account::reach;
pub use challenges::{ACME_TLS_ALPN, Challenges};
pub use error::AcmeError;
pub use plan::{ExternalAccount, Plan};
pub use proof::{DnsUpdate, Hook, Proof, TsigKey};
pub use renewer::{Outcome, Randomness, Renewer, Wish};
pub use state::{AcmeState, Failed};
