//! Conversations that an administrator looks at while they happen.
//!
//! Nothing is kept, and nothing is copied while nobody looks. Whoever looks
//! connects to a Unix socket, writes one line with what is wanted ([`Wanted`],
//! JSON), and reads a line for each line of each conversation ([`Seen`], JSON).
//! Passwords and contents of messages are not shown.

mod hub;
mod lines;
mod serve;

pub(crate) use hub::{Hub, Side};
pub(crate) use serve::serve;

use serde::{Deserialize, Serialize};

/// Which conversations somebody wants to see; all of them without a word.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Hosts whose address or name begins so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// Conversations about this domain: as destination, or in MAIL or RCPT from
    /// the line on in which it is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
}

/// One line of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Milliseconds since 1970.
    pub at: i64,
    /// `in`: the other side came to us; `out`: we went there.
    pub side: String,
    /// Tells conversations apart.
    pub conversation: u64,
    /// The other side.
    pub peer: String,
    /// `sent` or `received`, as we see it.
    pub way: String,
    /// The line without its end.
    pub line: String,
}
