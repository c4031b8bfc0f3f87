//! The core service: owner of directory, store and queue.
//!
//! It takes messages from connectors by SMTP over a Unix socket
//! ([`submission`]), resolves their recipients, asks the rules of mailboxes
//! ([`filing`]), commits them, and hands what goes elsewhere to connectors by LMTP
//! ([`dispatch`]). It serves IMAP, POP3, LDAP and the admin API to clients, reports
//! to senders, and tidies up.
//!
//! Invariants: `250` on the submission socket means durable; a delivery leaves
//! the queue only by an answer; a message that kills a connector is tried alone
//! and, after three deaths, quarantined, so everything behind it flows.

mod clients;
mod config;
mod dead_end;
mod dispatch;
mod error;
mod figures;
mod filing;
mod maintenance;
mod on_demand;
mod relay_check;
mod report;
mod routing;
mod run;
mod submission;
mod tidy;
mod times;

pub use concord_ldap::LdapConfig;
pub use config::{CoreConfig, CoreSockets, DeliverSocket, DispatchLimits};
pub use error::CoreError;
pub use run::run;
