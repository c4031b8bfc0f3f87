//! An LDAPv3 server over the directory, and LDIF.
//!
//! What it does: RFC 4511 to 4519 as far as `docs/src/ldap.md` says: bind by
//! password and SASL (PLAIN, SCRAM-SHA-256; EXTERNAL on the local socket), STARTTLS
//! and implicit TLS, search with every kind of filter, paged results (RFC 2696),
//! sorting (RFC 2891), windows (draft-ietf-ldapext-ldapv3-vlv-09), compare, add,
//! modify, delete, rename and move, password change (RFC 3062), who am I (RFC
//! 4532), abandon.
//!
//! [`caller`] is the other side: the requests that a tool on the same machine
//! makes; [`ldif`] reads, writes and carries out LDIF files (RFC 2849) with it.
//!
//! What it does not: referrals, aliases, attribute options, replication. It opens
//! no port and reads no settings.
//!
//! Operations are decoded by `ldap3_proto`, behind a guard of our own; answers are
//! written by hand, straight into one buffer.
//!
//! Invariants: a search sees every change that was finished before it; what
//! somebody may not see answers no question, not even whether it is there; a
//! modification is one act of the directory, or nothing. Nothing a client sends
//! makes the server panic, recurse without bound or hold more memory than
//! [`config`] says.

mod ber;
mod bind;
pub mod caller;
mod catalogue;
mod client;
mod compare;
pub mod config;
mod connection;
mod dn;
mod extended;
mod filter;
mod frame;
mod fuzzing;
pub mod ldif;
mod operation;
mod result;
mod schema;
mod search;
mod server;
mod session;
mod text;
mod write;

pub use config::LdapConfig;
pub use server::{LdapServer, Way};

/// Feeds arbitrary octets to everything here that reads what a client sent, the
/// codec behind its guard among it.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    fuzzing::run(data);
}
