//! TLS server and client configuration through rustls, from files or a
//! self-made certificate.
//!
//! TLS 1.2 and 1.3 as rustls and aws-lc-rs have them; nothing older. Server
//! side: [`server_config`] with files that are read again when they change
//! ([`Reloading`]), so that a renewed certificate needs no restart. Client
//! side: [`client_config`], opportunistic (RFC 7435: encrypt, do not verify)
//! or verifying. [`self_made`] makes and renews a certificate for machines
//! that were given none.
//!
//! It does not: open sockets, speak STARTTLS, fetch certificates (ACME), or
//! decide when TLS is required.
//!
//! Invariants: private keys on disk that this crate writes have mode 0600; a
//! reload that fails keeps the certificate that works.

mod client;
mod error;
mod facts;
mod files;
mod self_made;
mod server;

pub use client::{
    Roots, Verification, client_config, client_config_with, crypto_provider, root_store,
    server_name, trusting_nobody,
};
pub use error::TlsError;
pub use facts::{CertificateFacts, facts, ordered_files, public_key, self_made_files};
pub use files::CertificateFiles;
pub use self_made::self_made;
pub use server::{Reloading, config_of_first, config_with, server_config, server_config_of_first};

#[cfg(test)]
mod tests;
