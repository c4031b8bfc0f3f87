//! The core service: owner of directory, store and queue.
//!
//! It takes messages from connectors by SMTP over a Unix socket
//! ([`submission`]), resolves their recipients, commits them, and hands what
//! goes elsewhere to connectors by LMTP ([`dispatch`]). It serves IMAP, POP3
//! and the admin API to clients, reports to senders, and tidies up.
//!
//! Invariants: `250` on the submission socket means durable; a delivery leaves
//! the queue only by an answer; a message that kills a connector is tried alone
//! and, after three deaths, quarantined, so everything behind it flows.

mod clients;
mod config;
mod dispatch;
mod error;
mod figures;
mod maintenance;
mod report;
mod routing;
mod run;
mod submission;
mod tidy;

pub use config::{CoreConfig, CoreSockets, DeliverSocket, DispatchLimits, MayRelay};
pub use error::CoreError;
pub use run::run;
