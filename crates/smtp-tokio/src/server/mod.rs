//! The server side.

mod auth;
mod commands;
mod data;
mod handler;
mod profile;
mod session;
mod transport;

pub use handler::{AuthStep, ConnectionInfo, DataReply, HelloInfo, Peer, SmtpHandler, TlsInfo};
pub use profile::{Mode, ServerProfile, ServerTimeouts};
pub use session::{Ended, serve};
