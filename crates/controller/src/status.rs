//! What the control API says about services.

use crate::machine::State;
use concord_base::{Fault, Retry, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A service as the administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// Its name; `controller` for the controller itself.
    pub name: String,
    /// What it is doing.
    pub state: State,
    /// Its process, if there is one.
    pub pid: Option<i32>,
    /// Since when it is in this state; milliseconds since 1970.
    pub since: Timestamp,
    /// Ends that nobody asked for, since the controller started.
    pub crashes: u64,
    /// The service's own words about itself.
    pub status: Option<String>,
    /// How its last process ended.
    pub last_exit: Option<String>,
    /// Services that it needs.
    pub depends_on: Vec<String>,
    /// Where it listens.
    pub sockets: Vec<SocketStatus>,
}

/// A listening socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketStatus {
    /// For example `smtp`.
    pub name: String,
    /// `address:port` or a path.
    pub address: String,
}

/// The last lines of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogTail {
    /// Oldest first, without line ends.
    pub lines: Vec<String>,
}

/// An error as the API writes it: `{"error": {...}}`, as the core's does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorEnvelope {
    /// The error.
    pub error: ErrorBody,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// Stable, dotted kebab case.
    pub code: String,
    /// What could not be done, and why; it may say what to do as well.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// `temporary`, `permanent`, `operator` or `bug`.
    #[serde(default)]
    pub retry: String,
}

/// The words of [`ErrorBody::retry`].
const RETRY_WORDS: [(Retry, &str); 4] = [
    (Retry::Temporary, "temporary"),
    (Retry::Permanent, "permanent"),
    (Retry::Operator, "operator"),
    (Retry::Bug, "bug"),
];

impl ErrorBody {
    /// Of an error whose own words say what to do.
    pub(crate) fn of(error: &impl Fault) -> Self {
        let word = RETRY_WORDS.iter().find(|(retry, _)| *retry == error.retry());
        Self {
            code: error.code().to_owned(),
            message: error.to_string(),
            advice: None,
            retry: word.map_or("", |(_, word)| word).to_owned(),
        }
    }

    /// What a retry would bring; permanent if the server's word is not known.
    pub fn retry(&self) -> Retry {
        let known = RETRY_WORDS.iter().find(|(_, word)| *word == self.retry);
        known.map_or(Retry::Permanent, |(retry, _)| *retry)
    }
}

/// The message and what to do about it.
impl fmt::Display for ErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.advice.iter().try_for_each(|advice| write!(f, "; {advice}"))
    }
}

/// What the administrator asks of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Run it, and what it depends on.
    Start,
    /// Stop it, after what depends on it.
    Stop,
    /// Stop its process and start another. No connection is refused meanwhile.
    Restart,
}

impl Verb {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Verb::Start => "start",
            Verb::Stop => "stop",
            Verb::Restart => "restart",
        }
    }
}
