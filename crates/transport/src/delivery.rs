//! Deliveries: one recipient of one message that waits for a connector.

use crate::{Arrival, EnvelopeOptions, Filing, Notify, ReversePath};
use concord_address::TypedAddress;
use concord_base::{DeliveryId, EnhancedStatus, MailboxId, MessageId, Timestamp};
use serde::{Deserialize, Serialize};

/// A delivery during which its connector, or the core, died so often is
/// quarantined: three is evidence, since a suspect is tried alone.
pub const QUARANTINE_AFTER: u32 = 3;
/// A delivery with so many crashes is a suspect: its next attempt, the last one
/// before quarantine, is made alone. One crash is no suspicion yet, for an
/// ordinary stop in the middle of a slow host's answer counts as one.
pub const SUSPECT_AFTER: u32 = 2;

/// Why a delivery waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// For its next attempt.
    Queued,
    /// For an administrator's release.
    Held,
    /// For an administrator: services died over it.
    Quarantined,
}

impl DeliveryState {
    /// Stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Held => "held",
            Self::Quarantined => "quarantined",
        }
    }
}

/// A connector and the group of deliveries it takes together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Group {
    /// The connector.
    pub connector: String,
    /// See [`crate::Destination::Connector`].
    pub group: String,
}

/// The words of whoever decided over a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerAnswer {
    /// SMTP reply code; 0 if there was no reply.
    pub code: u16,
    /// RFC 3463 status as `(class, subject, detail)`.
    pub status: (u8, u16, u16),
    /// The remote host, as DSNs name it (`mx.example.org [192.0.2.1]`); `None`
    /// if the answer is Concord's own.
    pub host: Option<String>,
    /// The words.
    pub text: String,
}

impl PeerAnswer {
    /// Its status.
    pub const fn enhanced_status(&self) -> EnhancedStatus {
        EnhancedStatus::new(self.status.0, self.status.1, self.status.2)
    }
}

/// A delivery in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The recipient.
    pub address: TypedAddress,
    /// What RCPT said.
    pub given: TypedAddress,
    /// RFC 3461 ORCPT.
    pub original: Option<String>,
    /// RFC 3461 NOTIFY.
    pub notify: Notify,
    /// Connector and group.
    pub group: Group,
    /// Why it waits.
    pub state: DeliveryState,
    /// When it is due.
    pub next_attempt: Timestamp,
    /// Attempts so far.
    pub attempts: u32,
    /// How often a service died over it.
    pub crashes: u32,
    /// Whether the sender was told of the delay.
    pub delay_reported: bool,
    /// The last answer.
    pub last_answer: Option<PeerAnswer>,
    /// See [`crate::RoutedRecipient::reports_to`].
    pub reports_to: Option<ReversePath>,
}

impl Delivery {
    /// Who gets reports of it, of a message from `sender`.
    pub fn reverse_path<'a>(&'a self, sender: &'a ReversePath) -> &'a ReversePath {
        self.reports_to.as_ref().unwrap_or(sender)
    }
}

/// A message in the queue with its deliveries that still wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedMessage {
    /// The message.
    pub message: MessageId,
    /// When it came.
    pub received: Timestamp,
    /// How it came.
    pub arrival: Arrival,
    /// Who gets reports.
    pub sender: ReversePath,
    /// What MAIL said beside.
    pub options: EnvelopeOptions,
    /// `Message-ID` of its header.
    pub header_message_id: String,
    /// Its subject, shortened.
    pub subject: String,
    /// Size in octets.
    pub octets: u64,
    /// Octets of the `Return-Path:` line in front.
    pub return_path_octets: u32,
    /// What waits.
    pub deliveries: Vec<Delivery>,
}

/// Work for a connector: deliveries of one message and one group. Until it is
/// answered nobody else gets them; a core that dies gives them free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The message; `deliveries` are the claimed ones only.
    pub message: QueuedMessage,
    /// Connector and group.
    pub group: Group,
    /// Services died over one of these before: try it alone.
    pub suspect: bool,
    /// What is known of the group's destination.
    pub destination: Reachability,
}

/// What is known of a destination, a connector's group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reachability {
    /// It was reached since it last was not, and since the start.
    pub proven: bool,
    /// How often in a row it could not be reached.
    pub failures: u32,
}

/// What one call of [`crate::Queue::claim`] may take.
pub struct ClaimLimits<'a> {
    /// So many claims.
    pub claims: usize,
    /// So many claims of one group at once, those of earlier calls included;
    /// of one that is not proven, one.
    pub per_group: usize,
    /// So many claims of groups that are not proven.
    pub unproven: usize,
    /// Whether suspects may be claimed.
    pub suspects: bool,
    /// Whether a group waits until somebody asks for it: it is parked, and
    /// asked about again after [`crate::Queue::wake`].
    pub waits: &'a (dyn Fn(&str) -> bool + Sync),
}

impl ClaimLimits<'_> {
    /// At most `claims`, and nothing waits.
    pub fn most(claims: usize) -> ClaimLimits<'static> {
        ClaimLimits {
            claims,
            per_group: usize::MAX,
            unproven: usize::MAX,
            suspects: true,
            waits: &|_| false,
        }
    }
}

impl std::fmt::Debug for ClaimLimits<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClaimLimits").field("claims", &self.claims).finish_non_exhaustive()
    }
}

/// From when on mail of a destination that is not tried is old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ages {
    /// What came before is too old.
    pub expired: Timestamp,
    /// The senders of what came before are told of the delay.
    pub delayed: Option<Timestamp>,
}

/// What became of a claimed delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AnswerOutcome {
    /// The foreign system has it.
    Delivered,
    /// It is in a mailbox here, put there in the same commit.
    Stored {
        /// Whose.
        mailbox: MailboxId,
        /// See [`crate::RoutedRecipient::filing`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        filing: Option<Filing>,
    },
    /// The foreign system has it and will not report success: we do, if asked
    /// ("relayed", RFC 3461 section 5.2.2).
    Relayed,
    /// Later.
    Deferred {
        /// When.
        next_attempt: Timestamp,
        /// Whether the sender is told of the delay in the same commit.
        delay_reported: bool,
    },
    /// It was not tried, but the sender is told of the delay in the same commit.
    Delayed,
    /// Never; a failure report, if wanted, is in the same commit.
    Failed,
    /// Too late; as failed.
    Expired,
    /// The service died with the message in its hands.
    Crashed {
        /// When to try again, alone.
        next_attempt: Timestamp,
    },
    /// The claim is given back; no attempt was made.
    Released,
}

/// An answer for one delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The delivery.
    pub delivery: DeliveryId,
    /// What became of it.
    pub outcome: AnswerOutcome,
    /// The words that were said.
    pub answer: Option<PeerAnswer>,
    /// Who is sent a report of it in the same commit.
    #[serde(default)]
    pub reported_to: Option<String>,
}

/// Which queued messages to list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct QueueFilter {
    /// Only with deliveries in this state.
    pub state: Option<DeliveryState>,
    /// Only for this connector.
    pub connector: Option<String>,
    /// Only for this group (domain).
    pub group: Option<String>,
    /// Only from this sender (case does not matter).
    pub sender: Option<String>,
    /// Only to this recipient (case does not matter).
    pub recipient: Option<String>,
    /// At most so many messages, oldest first; 0 is [`Self::MAX`].
    pub limit: u32,
    /// Only messages with larger ids, for paging.
    pub after: Option<MessageId>,
}

impl QueueFilter {
    /// One page's most messages.
    pub const MAX: u32 = 1_000;
}

/// The queue in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct QueueSummary {
    /// Deliveries that wait for their attempt.
    pub queued: u64,
    /// Deliveries held.
    pub held: u64,
    /// Deliveries quarantined.
    pub quarantined: u64,
    /// When the oldest queued message came.
    pub oldest: Option<Timestamp>,
}
