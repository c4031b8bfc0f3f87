//! What is remembered of a message's way.

use concord_base::{MessageId, Timestamp};
use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TraceKind {
    /// The core took the message in.
    Received,
    /// A copy is in a mailbox.
    Stored,
    /// A delivery waits for a connector.
    Queued,
    /// A connector delivered.
    Delivered,
    /// A connector relayed; no further reports come.
    Relayed,
    /// An attempt failed for now.
    Deferred,
    /// A delivery failed for good.
    Failed,
    /// A delivery was not possible in time.
    Expired,
    /// A service died over it.
    Crashed,
    /// It was quarantined.
    Quarantined,
    /// A report was sent to the sender.
    Reported,
    /// An administrator held it.
    Held,
    /// An administrator released it.
    Released,
    /// An administrator asked for an attempt now.
    Retried,
    /// An administrator removed it.
    Removed,
    /// An administrator returned it to its sender.
    Returned,
    /// An address stands for others: a list, a contact, a further address.
    Expanded,
    /// Another connector takes it, because the first one is gone or disabled.
    Rerouted,
}

impl TraceKind {
    /// All kinds; their place is their number in the index.
    pub const ALL: [Self; 18] = [
        Self::Received,
        Self::Stored,
        Self::Queued,
        Self::Delivered,
        Self::Relayed,
        Self::Deferred,
        Self::Failed,
        Self::Expired,
        Self::Crashed,
        Self::Quarantined,
        Self::Reported,
        Self::Held,
        Self::Released,
        Self::Retried,
        Self::Removed,
        Self::Returned,
        Self::Expanded,
        Self::Rerouted,
    ];

    /// Stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Stored => "stored",
            Self::Queued => "queued",
            Self::Delivered => "delivered",
            Self::Relayed => "relayed",
            Self::Deferred => "deferred",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Crashed => "crashed",
            Self::Quarantined => "quarantined",
            Self::Reported => "reported",
            Self::Held => "held",
            Self::Released => "released",
            Self::Retried => "retried",
            Self::Removed => "removed",
            Self::Returned => "returned",
            Self::Expanded => "expanded",
            Self::Rerouted => "rerouted",
        }
    }
}

/// One event of a message's story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: TraceKind,
    /// Whose copy, if it is of one recipient.
    pub recipient: Option<String>,
    /// The details: where it went, and what the peer said.
    pub detail: String,
}

/// Everything known of one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// The message.
    pub message: MessageId,
    /// Its queue id as text.
    pub queue_id: String,
    /// `Message-ID` of its header.
    pub header_message_id: String,
    /// The reverse-path as text, empty for `<>`.
    pub sender: String,
    /// Its subject, shortened.
    pub subject: String,
    /// RFC 3461 ENVID.
    pub envelope_id: Option<String>,
    /// Size in octets.
    pub octets: u64,
    /// When it came.
    pub received: Timestamp,
    /// The events in order.
    pub events: Vec<TraceEvent>,
}

/// What to look for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TraceQuery {
    /// One message.
    Message(MessageId),
    /// By `Message-ID` of the header, without brackets.
    HeaderMessageId(String),
    /// From or to an address (case does not matter).
    Address(String),
}
