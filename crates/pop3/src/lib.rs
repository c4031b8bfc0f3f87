//! A POP3 server over the information store: the INBOX of a mailbox.
//!
//! What it does: RFC 1939 with UIDL and TOP, CAPA and PIPELINING (RFC 2449),
//! STLS (RFC 2595) and implicit TLS, AUTH with SASL (RFC 5034), RESP-CODES and
//! AUTH-RESP-CODE (RFC 2449, RFC 3206).
//!
//! What it does not: APOP (it needs the password in the clear on the server),
//! folders other than INBOX, changes of flags. It opens no port.
//!
//! Invariants: one session at a time has a mailbox, within the process; what a
//! client deletes goes at QUIT and at no other time; a message is sent from
//! the store in pieces, however large.

mod command;
mod config;
mod connection;
mod lock;
mod login;
mod send;
mod server;
mod session;

pub use config::Pop3Config;
pub use server::Pop3Server;

/// Feeds arbitrary octets to everything here that reads by hand what came from
/// outside: commands, and messages on their way to the client.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    command::fuzz(data);
    send::fuzz(data);
}
