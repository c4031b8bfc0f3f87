//! The PROXY protocol, versions 1 and 2, on the server's side: a proxy in front
//! says in a header before everything else, also before TLS, who the client is.
//! Without it all clients of a proxy have its address, and rules about hosts are
//! of no use (Q254214).
//!
//! [`Proxies`] are the networks that are believed. A connection from there must
//! begin with a header; one from elsewhere is not looked at, so that a stranger's
//! header is what the protocol behind makes of it, an error. `header` is pure:
//! how much of a header is there, and what it says. Addresses are read by
//! `proxy-header`.
//!
//! It does not: send headers, or tell what else a header says about the client
//! (its TLS, its certificate).
//!
//! Invariants: not one octet behind the header is read; what is read, how long
//! and by how many at once has a bound. Source: "The PROXY protocol, versions 1 &
//! 2", HAProxy Technologies, section numbers as of 2020-03-05.

mod error;
mod header;
mod proxies;

pub use error::ProxyError;
pub use header::fuzz;
pub use proxies::{Endpoints, Proxies};
