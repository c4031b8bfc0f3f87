//! Why a filter failed.

use concord_base::{Fault, Retry};
use concord_milter::MilterError;
use std::sync::Arc;

/// A filter could not be asked, or gave no usable answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FilterFault {
    /// No connection.
    #[error("cannot connect to {address}: {cause}; see that the filter runs and listens there")]
    Connect {
        /// Where.
        address: String,
        /// The system's words.
        cause: Arc<std::io::Error>,
    },
    /// No connection within the time that is set.
    #[error("cannot connect to {address} within the connect-timeout; see that the filter runs")]
    ConnectTimeout {
        /// Where.
        address: String,
    },
    /// The connection broke or was closed.
    #[error("the filter's connection broke at {stage}: {cause}; see the filter's log")]
    Broken {
        /// What it was asked about.
        stage: &'static str,
        /// The system's words.
        cause: Arc<std::io::Error>,
    },
    /// No answer within the time that is set.
    #[error("the filter gave no answer to {stage} within the timeout")]
    Timeout {
        /// What it was asked about.
        stage: &'static str,
    },
    /// All answers together took longer than is set.
    #[error("the filter took longer than its total-time over one message, lastly at {stage}")]
    TotalTime {
        /// What it was asked about.
        stage: &'static str,
    },
    /// It does not keep to the protocol.
    #[error("the filter does not keep to the milter protocol at {stage}: {cause}")]
    Protocol {
        /// What it was asked about.
        stage: &'static str,
        /// How.
        cause: MilterError,
    },
    /// A milter that says itself that it cannot go on.
    #[error("the filter says at {stage} that its connection failed")]
    GaveUp {
        /// What it was asked about.
        stage: &'static str,
    },
    /// HTTP broke, or its answer is too long.
    #[error("the HTTP exchange with the filter failed: {0}")]
    Http(String),
    /// HTTP worked, the filter refused the request.
    #[error("the filter answered HTTP {0}; see its log (403 means a wrong password)")]
    HttpStatus(u16),
    /// The answer is not what rspamd answers.
    #[error("cannot read the filter's answer: {0}")]
    Answer(String),
    /// The message has more than rules look at.
    #[error("the message has more {what} than a rule looks at ({most})")]
    TooComplex {
        /// Of what.
        what: &'static str,
        /// The bound.
        most: usize,
    },
    /// A rule ended without an answer.
    #[error("the rule ended without an answer; this is a defect of Concord")]
    Died,
}

impl FilterFault {
    /// A short name for metrics.
    pub(crate) const fn cause(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "connect",
            Self::ConnectTimeout { .. } => "connect-timeout",
            Self::Broken { .. } => "broken",
            Self::Timeout { .. } => "timeout",
            Self::TotalTime { .. } => "total-time",
            Self::Protocol { .. } => "protocol",
            Self::GaveUp { .. } => "gave-up",
            Self::Http(_) => "http",
            Self::HttpStatus(_) => "http-status",
            Self::Answer(_) => "answer",
            Self::TooComplex { .. } => "too-complex",
            Self::Died => "died",
        }
    }
}

impl Fault for FilterFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "filter.connect",
            Self::ConnectTimeout { .. } => "filter.connect-timeout",
            Self::Broken { .. } => "filter.broken",
            Self::Timeout { .. } => "filter.timeout",
            Self::TotalTime { .. } => "filter.total-time",
            Self::Protocol { .. } => "filter.protocol",
            Self::GaveUp { .. } => "filter.gave-up",
            Self::Http(_) => "filter.http",
            Self::HttpStatus(_) => "filter.http-status",
            Self::Answer(_) => "filter.answer",
            Self::TooComplex { .. } => "filter.too-complex",
            Self::Died => "filter.died",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::TooComplex { .. } => Retry::Permanent,
            Self::HttpStatus(_) => Retry::Operator,
            Self::Died => Retry::Bug,
            _ => Retry::Temporary,
        }
    }
}
