//! The shapes of requests and answers. Unknown keys of requests are errors.
//! Times are RFC 3339 in UTC with milliseconds; sizes are octets; addresses
//! are typed (`SMTP:alice@example.test`), and taken without a type as Internet
//! addresses.

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

mod connector;
mod directory;
mod queue;
mod restamp;
mod route;
mod rule;
mod sync;
mod whole;

pub use connector::{
    ConnectorPatch, GeneratorPatch, Missing, MissingOfType, NewConnector, NewGenerator,
    OrderAnswer, OrderError, OrderQuery, StampFailed, Stamped,
};
pub use directory::{
    Address, Bootstrap, BootstrapMailbox, Bootstrapped, ForwardPatch, ForwardView, MadeObject,
    Member, NewContact, NewDomain, NewList, NewMailbox, ObjectView, OriginView, Patch, SetPassword,
};
pub use queue::{
    ActDone, ActFailed, ActName, ActOnMany, ArrivalView, DeliveryView, EventView, PeerAnswerView,
    QueueQuery, QueueStart, QueueStarted, QueuedView, StoryView, Summary, TraceParams,
};
pub use restamp::{AddressChange, NewRule, Restamped, StampNews, StampQuery};
pub use route::{
    CandidateView, CopyView, NoticeView, RelayQuery, RelayStep, RelayView, RouteQuery, RouteView,
    TestReport,
};
pub use rule::{
    ConditionAnswer, JudgedRule, MailboxRule, MailboxRulePatch, NewMailboxRule, RulesTested,
};
pub use sync::{
    SyncBegun, SyncCounts, SyncFailure, SyncOptions, SyncPlans, SyncRemark, SyncRun, SyncState,
    SyncStatus,
};
pub use whole::{
    AddedMessage, DirectoryEntry, InventoryLine, InventoryMessage, NewMessageQuery, WholeDirectory,
};

/// Items in a page, at most; and if nothing is said.
pub const MAX_PAGE: u32 = 1_000;

/// Every error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorInfo,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorInfo {
    /// Stable, dotted kebab case (`directory.name-taken`).
    pub code: String,
    /// For people.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// `temporary`, `permanent`, `operator` or `bug`.
    pub retry: String,
}

/// The message and what to do about it.
impl fmt::Display for ErrorInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.advice.iter().try_for_each(|advice| write!(f, "; {advice}"))
    }
}

/// A page of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// What to give as `after` for the next page; none at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Which page.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many items; [`MAX_PAGE`] if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// How the server is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// `ok`.
    pub status: String,
    /// The host's name.
    pub hostname: String,
    /// Concord's version.
    pub version: String,
    /// The time there.
    pub time: String,
}

/// Tells a key that is `null` from one that is not there.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
