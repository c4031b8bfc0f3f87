//! Drives the SMTP and LMTP state machines of `concord-smtp` over asynchronous
//! streams.
//!
//! - [`serve`] runs one server session over any stream: [`ServerProfile`] says
//!   what is offered and bounded, [`SmtpHandler`] decides and takes the data.
//! - [`SmtpClient`] is one client session, SMTP or LMTP.
//!
//! Not here: listening, connection limits, name resolution, queues.
//!
//! Invariants: a session's memory is bounded (an idle one holds a few KiB);
//! every wait has a time-out; what stood in the buffer before STARTTLS is never
//! read after it; replies go out in order, and are written only when there is
//! nothing more to parse. Sources as in `concord-smtp`.

mod client;
mod server;
mod stream;
mod tap;

pub use client::{
    BodyMode, ChunkSource, ClientError, ClientTimeouts, Delivered, Envelope, HelloVerb, Phase,
    SmtpClient,
};
pub use server::{
    AuthStep, ConnectionInfo, DataReply, Ended, HelloInfo, Mode, Peer, ServerProfile,
    ServerTimeouts, SmtpHandler, TlsInfo, serve,
};
pub use stream::MaybeTls;
pub use tap::{Tap, Way};
