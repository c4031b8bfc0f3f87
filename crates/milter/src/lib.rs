//! The milter protocol of Sendmail, version 6, from the mail server's side:
//! octets to types and back.
//!
//! A milter is a program that a mail server asks about each step of an SMTP
//! session. The server (libmilter's papers say MTA) opens the connection, says
//! what it can do, and then sends one command for each step; the filter answers
//! each and, at the end of a message, may ask for changes.
//!
//! - [`Client`] is the state machine: it writes commands into a buffer that the
//!   caller sends, takes what came back by [`Client::feed`], and gives
//!   [`Event`]s by [`Client::poll`].
//! - [`Command`] and [`Response`] are the packets, each readable and writable,
//!   so that a filter can be written (or faked in a test) with the same types.
//! - [`Actions`], [`Steps`] and [`Agreement`] are the option negotiation.
//! - [`ReplyCode`] reads the SMTP reply that a filter words itself.
//!
//! What is not here: sockets, time-outs, and the changes themselves; the caller
//! is told of them one by one and makes them.
//!
//! Invariants: no I/O, no clock, no panic on any input; nothing grows without a
//! named bound ([`limits`]); a filter can ask for nothing that was not agreed.
//!
//! Sources: Sendmail 8.18's `libmilter/docs` and `include/libmilter/mfdef.h`
//! (numbers and letters), `libmilter/engine.c` (what a filter reads, and which
//! command may follow which), and Postfix's MILTER_README (what a server other
//! than Sendmail must do the same way).

mod agreement;
mod client;
mod command;
mod error;
pub mod limits;
mod packet;
mod reply;
mod response;
mod strings;

pub use agreement::{Actions, Agreement, Offer, Stage, Steps};
pub use client::{Answer, Bounds, Client, Event, Sent};
pub use command::{Command, Peer};
pub use error::MilterError;
pub use packet::PacketReader;
pub use reply::ReplyCode;
pub use response::{Edit, Response};

/// The example in the README is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Feeds every parser of the crate; for fuzzing.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    packet::fuzz(data);
    command::fuzz(data);
    response::fuzz(data);
    reply::fuzz(data);
    client::fuzz(data);
}
