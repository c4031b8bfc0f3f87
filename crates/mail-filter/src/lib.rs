//! Content filters in the way of a message: milters, rspamd, and rules of our
//! own on header fields and attachments.
//!
//! - [`FilterConfig`] is one filter as an administrator writes it;
//!   [`FilterConfig::validate`] says what is wrong with a list of them, and
//!   where.
//! - [`Chain`] is the filters of one kind of traffic, in their order.
//!   [`Chain::session`] gives a [`FilterSession`] for one client, which is told
//!   what the client says and, for each message, gives a [`Verdict`].
//! - [`apply_edits`] makes the changes of a verdict; octets that no change
//!   touches stay exactly as they were. Each filter sees the message as the
//!   ones before it left it.
//!
//! A filter that cannot be asked, or that fails in the middle of a message,
//! has the effect that its `on-failure` says and no other: what it had asked
//! for until then is forgotten. The default is `defer`: the client hears a 4xx
//! and tries again, so nothing goes past a filter and nothing is lost.
//!
//! What is not here: who is asked when (the front of the Internet Mail Service
//! decides), quarantine itself, and scoring (rspamd does that).
//!
//! Memory: the message is shared, never copied but for changes; every answer
//! of a filter is bounded ([`limits`]).
//!
//! Sources: libmilter's and Postfix's papers (see `concord_milter`), rspamd's
//! protocol description (`doc/architecture/protocol`), the ZIP APPNOTE.

mod chain;
mod config;
mod config_error;
mod draft;
mod edit;
mod facts;
mod fault;
pub mod limits;
mod milter;
mod rspamd;
mod rule;
mod session;
mod spec;
mod telemetry;
mod verdict;

pub use chain::Chain;
pub use config::{FilterConfig, FilterKind, OnFailure, RuleAction, Traffic};
pub use config_error::{ConfigError, Mistake};
pub use edit::{Edit, Field, apply_edits};
pub use facts::{ClientFacts, QueueFacts, TlsFacts};
pub use fault::FilterFault;
pub use session::FilterSession;
pub use telemetry::describe;
pub use verdict::{Action, AddedRecipient, Note, Symbol, Verdict};

/// Feeds everything that reads what a filter or a sender wrote; for fuzzing.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    edit::fuzz(data);
    rspamd::fuzz(data);
    rule::fuzz(data);
}
