//! The web service: a few documents over HTTP, and the certificates.
//!
//! | where | what | source |
//! |---|---|---|
//! | `http` `/.well-known/acme-challenge/...` | answers to HTTP-01 | RFC 8555 section 8.3 |
//! | `https`, protocol `acme-tls/1` | answers to TLS-ALPN-01 | RFC 8737 |
//! | `https://mta-sts.DOMAIN/.well-known/mta-sts.txt` | the MTA-STS policy | RFC 8461 |
//! | `/mail/config-v1.1.xml` and others | set-up of mail programs | `concord-client-setup` |
//! | the Unix socket `web` | orders by the administrator | [`wire`] |
//!
//! It is the one process that orders and renews certificates, because it is
//! the one that answers the authority. It serves no files and no mail, knows no
//! mailbox, and answers nothing that depends on whether one exists.
//!
//! Invariants: requests, connections and waits are bounded; no request reaches
//! the file system; no document is ever served without the certificate's
//! files having been read, so HTTPS is always TLS with the certificate of the
//! mail services.

mod admin;
mod answer;
mod config;
mod error;
mod listen;
mod mta_sts;
mod request;
mod run;
mod tls;
pub mod wire;

pub use config::{Sockets, WebConfig};
pub use error::WebError;
pub use mta_sts::{Mode, Policy};
pub use run::run;
