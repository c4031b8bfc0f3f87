//! SMTP and LMTP as types and state machines: bytes in, types out, and back.
//!
//! What is here:
//! - server side: [`frame_line`] cuts command lines, [`Command`] parses them,
//!   [`State::verdict`] is the table of what may follow what, [`DataDecoder`]
//!   takes the dots out of a DATA stream, [`ChunkCount`] accounts for BDAT;
//! - client side: [`Capabilities`] reads EHLO answers, [`ReplyParser`] reads
//!   replies, [`DotStuffer`] puts the dots in, [`Command`]'s parts print
//!   themselves as they go over the wire;
//! - both: [`Reply`], [`RemoteAnswer`] (how a connector passes a remote host's
//!   words on), [`Xforward`], `xtext`.
//!
//! What is not here: sockets, time-outs, TLS, the decision about an address.
//!
//! Invariants: no I/O, no clock, no panic on any input; nothing grows without
//! a named bound ([`limits`]); `<CRLF>.<CRLF>` and nothing else ends a DATA
//! stream, whatever else the sender mixes in.
//!
//! The parser is our own: the library one (`smtp-proto`) drops CR wherever it
//! stands, ends lines at a bare LF and skips parameters it does not know,
//! which is the leniency that smuggling lives on. Tests compare the two.
//!
//! Sources: RFC 5321 (SMTP), 2033 (LMTP), 1870 (SIZE), 2034 (enhanced status
//! codes), 2920 (pipelining), 3030 (CHUNKING), 3207 (STARTTLS), 3461 (DSN),
//! 4954 (AUTH), 6152 (8BITMIME), 6531 (SMTPUTF8), 8689 (REQUIRETLS), and Postfix's
//! XFORWARD_README.

mod auth;
mod capabilities;
mod chunk;
mod command;
mod data;
pub mod limits;
mod line;
mod remote;
mod reply;
mod reply_parser;
mod state;
mod stuffing;
mod xforward;
mod xtext;

pub use auth::{decode_sasl, encode_sasl};
pub use capabilities::{Capabilities, Extensions};
pub use chunk::{Chunk, ChunkCount};
pub use command::{
    AuthCommand, BodyType, Command, CommandError, EtrnCommand, ForwardPath, MailCommand, Notify,
    RcptCommand, Return, ReversePath, TlsWish, Verb,
};
pub use data::{BareNewlines, DataDecoder, DataFault, Fed};
pub use line::{Framed, frame_line, skip_line};
pub use remote::RemoteAnswer;
pub use reply::{Reply, ReplyClass};
pub use reply_parser::{ReplyError, ReplyParser};
pub use state::{State, Verdict};
pub use stuffing::DotStuffer;
pub use xforward::Xforward;
pub use xtext::{decode_xtext, encode_xtext};

/// Feeds every parser of the crate; for fuzzing.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    command::fuzz(data);
    data::fuzz(data);
    line::fuzz(data);
    reply_parser::fuzz(data);
    stuffing::fuzz(data);
    xforward::fuzz(data);
    xtext::fuzz(data);
    capabilities::fuzz(data);
    remote::fuzz(data);
}
