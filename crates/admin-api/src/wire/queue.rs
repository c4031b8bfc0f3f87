//! Shapes of the queue and of tracking.

use serde::{Deserialize, Serialize};

/// The words of whoever decided over a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerAnswerView {
    /// SMTP reply code; 0 if there was none.
    pub code: u16,
    /// `5.1.1`.
    pub status: String,
    /// The remote host; none if Concord itself decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The words.
    pub text: String,
}

/// One recipient that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryView {
    /// Its id.
    pub id: u64,
    /// The recipient.
    pub recipient: String,
    /// What RCPT said.
    pub given: String,
    /// The connector that takes it.
    pub connector: String,
    /// What it is grouped by there: for Internet mail the domain.
    pub group: String,
    /// `queued`, `held` or `quarantined`.
    pub state: String,
    /// When it is due.
    pub next_attempt: String,
    /// Attempts so far.
    pub attempts: u32,
    /// How often a service died over it.
    pub crashes: u32,
    /// Whether the sender was told of the delay.
    pub delay_reported: bool,
    /// Why no connector takes it at the moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stranded: Option<String>,
    /// The last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_answer: Option<PeerAnswerView>,
}

/// How a message came.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ArrivalView {
    /// The connector that brought it.
    pub connector: String,
    /// The client's IP address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// What the client called itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub helo: Option<String>,
    /// `ESMTP`, `ESMTPSA`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// The login name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
}

/// A message in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedView {
    /// Its name towards people.
    pub queue_id: String,
    /// When it came.
    pub received: String,
    /// How it came.
    pub arrival: ArrivalView,
    /// Who gets reports; empty for nobody (`<>`).
    pub sender: String,
    /// Its subject, shortened.
    pub subject: String,
    /// `Message-ID` of its header.
    pub message_id: String,
    /// Its size.
    pub octets: u64,
    /// `urgent`, `normal` or `non-urgent`; urgent mail goes first.
    #[serde(default)]
    pub urgency: String,
    /// The recipients that still wait.
    pub deliveries: Vec<DeliveryView>,
}

/// A domain whose mail is to go that waits to be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueStart {
    /// The domain.
    pub domain: String,
    /// Also those below it.
    #[serde(default)]
    pub below: bool,
}

/// What was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueStarted {
    /// The domain.
    pub domain: String,
    /// Deliveries that are on their way.
    pub deliveries: u64,
}

/// Which queued messages.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueueQuery {
    /// `queued`, `held` or `quarantined`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The connector it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connector: Option<String>,
    /// The domain (group) it goes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The sender's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// A recipient's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// The queue id after which the page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many; [`super::MAX_PAGE`] if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What can be done with queued messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActName {
    /// Due now; the schedule starts anew.
    Retry,
    /// Waits until released.
    Hold,
    /// Waits no more; also lets a quarantined one go.
    Release,
    /// A failure report goes to the sender, the message is removed.
    Return,
    /// Removed; nobody is told.
    Delete,
}

impl ActName {
    /// The word in paths.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Return => "return",
            Self::Delete => "delete",
        }
    }
}

/// Does something with all messages that match, a page at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActOnMany {
    /// What.
    pub act: ActName,
    /// With which; `limit` and `after` page.
    #[serde(default)]
    pub filter: QueueQuery,
    /// Must be true if the filter names nothing, so that an empty filter is no
    /// accident.
    #[serde(default)]
    pub all: bool,
}

/// What became of one page of [`ActOnMany`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ActDone {
    /// Queue ids of the messages it was done with.
    pub done: Vec<String>,
    /// Those it could not be done with.
    pub failed: Vec<ActFailed>,
    /// What to give as `after` for the rest; none if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A message that an act failed for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActFailed {
    /// The message.
    pub queue_id: String,
    /// Why.
    pub error: super::ErrorInfo,
}

/// The server in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Deliveries that wait for their attempt.
    pub queued: u64,
    /// Deliveries held.
    pub held: u64,
    /// Deliveries quarantined.
    pub quarantined: u64,
    /// When the oldest queued message came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<String>,
    /// Connectors that deliveries wait for.
    pub waiting_connectors: Vec<String>,
    /// Mailboxes.
    pub mailboxes: u64,
    /// Contacts.
    pub contacts: u64,
    /// Distribution lists.
    pub lists: u64,
    /// Mail domains.
    pub domains: u64,
}

/// Whose story. Exactly one of the first four.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TraceParams {
    /// Whatever of the other three it looks like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// A queue id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_id: Option<String>,
    /// A `Message-ID`, with or without brackets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The address of a sender or recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// At most so many stories, the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// One event of a message's story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventView {
    /// When.
    pub at: String,
    /// `received`, `stored`, `delivered`, ...
    pub event: String,
    /// Whose copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// Where it went, and what the peer said.
    pub detail: String,
}

/// Everything known of one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryView {
    /// Its name towards people.
    pub queue_id: String,
    /// `Message-ID` of its header.
    pub message_id: String,
    /// The sender; empty for nobody.
    pub sender: String,
    /// Its subject, shortened.
    pub subject: String,
    /// Its size.
    pub octets: u64,
    /// When it came.
    pub received: String,
    /// The events in order.
    pub events: Vec<EventView>,
}
