//! Why an order is not carried out.

use concord_base::{Fault, Retry};
use concord_nje::{CaptureError, TextError, WireError};
use concord_nje_tokio::SendError;

/// An order is not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OrderError {
    /// The order is not known.
    #[error("cannot do '{0}': this connector has no such order")]
    NoSuchOrder(String),
    /// It was given as a question.
    #[error("cannot do '{0}' as a question: it changes something; give it by POST")]
    Changes(String),
    /// What belongs to it cannot be read.
    #[error("cannot do '{order}': {cause}")]
    Arguments {
        /// The order.
        order: String,
        /// What is wrong.
        cause: String,
    },
    /// There is no such link.
    #[error(
        "cannot find a link to {name}: the links are {known}; 'concord ovvm link list' shows them"
    )]
    NoSuchLink {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// No link leads to a node.
    #[error("cannot reach node {0}: no link leads there; name it in nodes= of a link")]
    NoWay(String),
    /// A name is none.
    #[error("cannot use '{text}' as the name of a node or user: {cause}")]
    Name {
        /// What was written.
        text: String,
        /// Why not.
        cause: TextError,
    },
    /// A text cannot be sent as a message.
    #[error("cannot send a text of {length} characters: a message has at most {most}; shorten it")]
    TextLength {
        /// Its characters.
        length: usize,
        /// The bound.
        most: usize,
    },
    /// A character that protocol messages do not have.
    #[error(
        "cannot send '{0}': messages have only the characters of ASCII that EBCDIC 037 has; write it otherwise"
    )]
    Character(char),
    /// The link did not take it.
    #[error("{0}; 'concord ovvm link query' tells how the link is")]
    Send(#[from] SendError),
    /// There is no such trace.
    #[error(
        "cannot go on with trace {0}: it has ended, since nobody asked for it or the settings changed; begin another"
    )]
    NoSuchTrace(u64),
    /// There is no such replay.
    #[error("cannot find replay {0}: too long ago, or another was begun; bring the capture again")]
    NoSuchReplay(u64),
    /// A capture is too large.
    #[error(
        "cannot replay more than {0} octets of a capture; cut it down to the files that matter"
    )]
    ReplayTooLarge(usize),
    /// A capture cannot be read.
    #[error("cannot read the capture: {0}")]
    Capture(#[from] CaptureError),
    /// What was captured cannot be read.
    #[error("cannot read what was captured: {0}")]
    Captured(WireError),
    /// The capture is of another link.
    #[error("cannot replay the capture for {link}: it is of a connection between {nodes}")]
    OtherLink {
        /// The link.
        link: String,
        /// Whose it is.
        nodes: String,
    },
    /// There is no room.
    #[error("cannot take the files now: the connector has no room, or stops; try again")]
    NoRoom,
}

impl Fault for OrderError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoSuchOrder(_) => "ovvm.no-such-order",
            Self::Changes(_) => "ovvm.order-changes",
            Self::Arguments { .. } => "ovvm.order-arguments",
            Self::NoSuchLink { .. } => "ovvm.no-such-link",
            Self::NoWay(_) => "ovvm.no-way",
            Self::Name { .. } => "ovvm.name",
            Self::TextLength { .. } => "ovvm.text-length",
            Self::Character(_) => "ovvm.text-character",
            Self::Send(error) => error.code(),
            Self::NoSuchTrace(_) => "ovvm.no-such-trace",
            Self::NoSuchReplay(_) => "ovvm.no-such-replay",
            Self::ReplayTooLarge(_) => "ovvm.replay-too-large",
            Self::Capture(error) => error.code(),
            Self::Captured(error) => error.code(),
            Self::OtherLink { .. } => "ovvm.replay-other-link",
            Self::NoRoom => "ovvm.no-room",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Send(error) => error.retry(),
            Self::NoRoom => Retry::Temporary,
            Self::NoWay(_) => Retry::Operator,
            _ => Retry::Permanent,
        }
    }
}
