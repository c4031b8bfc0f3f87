//! What operators' orders carry and what answers them: JSON of the connector's own
//! (`concord ovvm` and the admin API). Times are RFC 3339 in UTC.

use serde::{Deserialize, Serialize};

/// `link-list`: every link. A question.
pub const LINK_LIST: &str = "link-list";
/// `link-query`: one link in full. A question.
pub const LINK_QUERY: &str = "link-query";
/// `link-start`: lets a link open, at once.
pub const LINK_START: &str = "link-start";
/// `link-stop`: signs off and stays down.
pub const LINK_STOP: &str = "link-stop";
/// `tell`: sends a message to a user or operator of a node.
pub const TELL: &str = "tell";
/// `query`: gives a node a command and collects what it replies.
pub const QUERY: &str = "query";
/// `trace-begin`: begins to keep what goes over a link.
pub const TRACE_BEGIN: &str = "trace-begin";
/// `trace`: what came since a position. A question; waits for something.
pub const TRACE: &str = "trace";
/// `trace-end`: ends it.
pub const TRACE_END: &str = "trace-end";
/// `replay-part`: brings a part of a capture.
pub const REPLAY_PART: &str = "replay-part";
/// `replay`: takes the partner's files of a capture in anew.
pub const REPLAY: &str = "replay";

/// Of `link-list`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// The own node.
    pub node: String,
    /// Its links, by the partners' names.
    pub links: Vec<LinkView>,
}

/// Which link: the partner's node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhichLink {
    /// The partner's node.
    pub link: String,
}

/// A link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkView {
    /// The partner's node.
    pub partner: String,
    /// `active`, `opening`, `down` or `stopped`.
    pub state: String,
    /// Since when.
    pub since: String,
    /// `us` or `partner`; none without a connection.
    pub opened_by: Option<String>,
    /// Where it is dialled; none leaves that to the partner.
    pub dial: Option<String>,
    /// Nodes behind it.
    pub nodes: Vec<String>,
    /// Octets of a block that both ends take, while it is active.
    pub buffer: Option<u16>,
    /// Files of each kind that are sent at once.
    pub streams: u8,
    /// The partner tells us to wait.
    pub held: bool,
    /// Files that wait for the link, or for a stream.
    pub files_waiting: usize,
    /// Files that are being sent.
    pub files_going: usize,
    /// Files that are being received.
    pub files_coming: usize,
    /// Files that the partner took over since the settings were taken over.
    pub files_sent: u64,
    /// Files that were taken over here.
    pub files_received: u64,
    /// Messages and commands that came.
    pub messages_received: u64,
    /// Octets written.
    pub octets_sent: u64,
    /// Octets read.
    pub octets_received: u64,
    /// Why it was down the last time.
    pub trouble: Option<TroubleView>,
}

/// Why a link was down.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TroubleView {
    /// When that was seen.
    pub at: String,
    /// Stable; none if the operating system says why.
    pub code: Option<String>,
    /// In words.
    pub text: String,
}

/// Of `link-query`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkDetails {
    /// The link.
    #[serde(flatten)]
    pub link: LinkView,
    /// The last messages of its side that nobody waited for, the oldest first.
    pub messages: Vec<HeardView>,
}

/// A message that came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeardView {
    /// When.
    pub at: String,
    /// `NODE.USER`, or the node alone.
    pub from: String,
    /// The user of this node that it was for; may be empty.
    pub to: String,
    /// What it says.
    pub text: String,
}

/// Of `tell`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tell {
    /// The node.
    pub node: String,
    /// The user; none is the node's operator.
    pub user: Option<String>,
    /// What to say.
    pub text: String,
}

/// The answer to `tell`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The link that the message left by. Nobody acknowledges it.
    pub link: String,
}

/// Of `query`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// The node.
    pub node: String,
    /// Its command.
    pub command: String,
    /// How long to wait for replies, in seconds.
    pub seconds: Option<u64>,
}

/// The answer to `query`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replies {
    /// The link that the command left by.
    pub link: String,
    /// What was replied, in order; nothing says which is the last.
    pub replies: Vec<HeardView>,
}

/// Of `trace`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceQuery {
    /// The number that `trace-begin` gave.
    pub trace: u64,
    /// The position of the next line that is wanted; those before it are
    /// forgotten.
    #[serde(default)]
    pub from: u64,
}

/// The answer to `trace-begin` and `trace`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracePart {
    /// The trace's number.
    pub trace: u64,
    /// The position to ask for next.
    pub next: u64,
    /// Lines that were too many and are lost, in front of these.
    pub lost: u64,
    /// Lines of a capture (`concord_nje::CaptureLine`), each with its end.
    pub lines: Vec<String>,
}

/// Of `replay-part`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayPart {
    /// The number that the first part was answered with; none begins.
    pub replay: Option<u64>,
    /// The next piece of the capture's text.
    pub text: String,
}

/// The answer to `replay-part`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayNumber {
    /// The replay's number.
    pub replay: u64,
}

/// Of `replay`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// Its number.
    pub replay: u64,
    /// The partner whose files are taken.
    pub link: String,
    /// Also files that were taken before: they are delivered again.
    #[serde(default)]
    pub force: bool,
}

/// The answer to `replay`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    /// One for each file of the partner in the capture.
    pub files: Vec<ReplayedFile>,
}

/// What became of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayedFile {
    /// The job's name at its origin.
    pub job: String,
    /// Who sent it, `NODE.USER`.
    pub from: String,
    /// Its records.
    pub records: usize,
    /// `taken`, `duplicate`, `cut-off` (its end is not in the capture) or
    /// `refused`.
    pub outcome: String,
    /// More about it.
    pub why: Option<String>,
}
