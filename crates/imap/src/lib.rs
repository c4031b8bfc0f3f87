//! An IMAP4rev1 server over the information store.
//!
//! What it does: RFC 3501, with STARTTLS and implicit TLS (RFC 8314), AUTH and
//! SASL-IR (RFC 4959), LITERAL+ (RFC 7888), IDLE (RFC 2177), NAMESPACE (RFC
//! 2342), UNSELECT (RFC 3691), UIDPLUS (RFC 4315), ID (RFC 2971), ENABLE (RFC
//! 5161), CHILDREN (RFC 3348), SPECIAL-USE (RFC 6154), CONDSTORE (RFC 7162),
//! MOVE (RFC 6851), QUOTA (RFC 9208), STATUS=SIZE (RFC 8438), WITHIN (RFC
//! 5032) and COMPRESS=DEFLATE (RFC 4978).
//!
//! What it does not: QRESYNC, SORT, THREAD, LIST-EXTENDED, BINARY, UTF8=ACCEPT,
//! ACL, and setting quotas over IMAP. It opens no port and reads no settings.
//!
//! Commands are read by `imap-codec`; answers are written by hand, straight
//! into one buffer. The MIME structure is found by our own `mime` module, for
//! IMAP speaks of the octets as they are while mail-parser gives them decoded;
//! decoding of charsets, encoded words and dates is mail-parser's.
//!
//! Invariants: a session's sequence numbers change only by what it was told
//! (`EXPUNGE`, `EXISTS`), and no `EXPUNGE` is sent while a command that uses
//! sequence numbers runs (RFC 3501 section 7.4.1). Nothing a client or a
//! message contains makes the server panic, recurse without bound or hold more
//! memory than [`config`] says.

mod append;
mod auth;
mod body;
mod cache;
mod command;
pub mod config;
mod connection;
mod copy;
mod dates;
mod error;
mod expunge;
mod fetch;
mod folders;
mod idle;
mod mime;
mod mutf7;
mod quota;
mod reader;
mod search;
mod select;
mod selected;
mod sequence;
mod server;
mod session;
mod store_flags;
mod text;
mod wildcard;
mod write;

pub use config::ImapConfig;
pub use server::ImapServer;

/// Feeds arbitrary octets to everything here that reads by hand what came from
/// outside: folder names, LIST patterns, messages, and whole commands.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    mutf7::fuzz(data);
    wildcard::fuzz(data);
    mime::fuzz(data);
    reader::fuzz(data);
}
