//! Shapes of routing and of connectors' health.

use concord_connector::wire::Probe;
use serde::{Deserialize, Serialize};

/// Which address's way is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteQuery {
    /// The recipient's.
    pub address: String,
    /// The sender's; address spaces can be for some senders only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// What an address means, and where its mail goes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RouteView {
    /// As it was asked, typed.
    pub address: String,
    /// `recipient`, `unknown`, `carried` or `elsewhere`.
    pub meaning: String,
    /// The recipient of the directory that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// Why the recipient would not take mail of this sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// The copies that would be made.
    pub copies: Vec<CopyView>,
    /// Copies that are not listed.
    #[serde(default)]
    pub more: u64,
}

/// One copy of a message, and its way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CopyView {
    /// Whose it is.
    pub address: String,
    /// A mailbox, public folder or resource of this server that gets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<String>,
    /// The connector that carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector: Option<String>,
    /// The connector cannot be reached at the moment: mail waits.
    #[serde(default)]
    pub waits: bool,
    /// Address spaces that were considered, best first.
    #[serde(default)]
    pub candidates: Vec<CandidateView>,
}

/// An address space that was considered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CandidateView {
    /// Its connector.
    pub connector: String,
    /// `TYPE:pattern`
    pub space: String,
    /// Its cost.
    pub cost: u8,
    /// `chosen`, `other-turn`, `disabled`, `unusable`, `out-of-scope`, `no-match`, `less-close`,
    /// `unreachable` or `dearer`.
    pub outcome: String,
    /// The same for people.
    pub reason: String,
}

/// What the probes of a connector saw.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TestReport {
    /// The connector.
    pub connector: String,
    /// In the order in which they were made.
    pub probes: Vec<Probe>,
}

/// Something that an administrator should see.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NoticeView {
    /// Stable.
    pub code: String,
    /// What was seen last, and what to do.
    pub text: String,
    /// When it was first seen.
    pub first: String,
    /// When it was last seen.
    pub last: String,
    /// How often.
    pub count: u64,
}

/// Who wants to send, from whom, to whom.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayQuery {
    /// The client's IP address.
    pub client: String,
    /// The IP address of this server that it connected to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// Whether it speaks TLS: `true` or `false`.
    #[serde(default)]
    pub tls: bool,
    /// The name of the user it has logged in as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The reverse-path; absent or empty is `<>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The recipient, as RCPT has it.
    pub to: String,
}

/// What a client would hear, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RelayView {
    /// `accepted` or `refused`.
    pub verdict: String,
    /// The reply that decides, as the client hears it.
    pub reply: String,
    /// Question by question, in the order in which they are asked; those behind
    /// the one that decides are not asked.
    pub steps: Vec<RelayStep>,
}

/// One question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RelayStep {
    /// What was asked.
    pub question: String,
    /// What was found.
    pub found: String,
    /// Whether this decided.
    pub decides: bool,
}
