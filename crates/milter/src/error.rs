//! What can go wrong between server and filter.

use concord_base::{Fault, Retry};

/// The conversation cannot go on; the connection must be closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MilterError {
    /// A packet is longer than the protocol allows.
    #[error("cannot take the filter's packet of {octets} octets: the protocol allows {most}")]
    PacketTooLong {
        /// What the length field says.
        octets: usize,
        /// The bound.
        most: usize,
    },
    /// A packet without even a letter.
    #[error("cannot read the filter's packet: it is empty")]
    EmptyPacket,
    /// A letter that the protocol does not have.
    #[error("cannot read the filter's packet: no response has the letter {0:?}")]
    UnknownLetter(char),
    /// A known letter with data that does not fit.
    #[error("cannot read the filter's packet {letter:?}: {what}")]
    BadPacket {
        /// The letter.
        letter: char,
        /// What is wrong.
        what: &'static str,
    },
    /// A response at a time when it means nothing.
    #[error("the filter's response {response} does not fit here; it was asked about {asked}")]
    Unexpected {
        /// The response.
        response: &'static str,
        /// The command that waits for an answer, or `nothing`.
        asked: &'static str,
    },
    /// A change of a kind that was not agreed.
    #[error("the filter asks for {0}, which was not agreed")]
    NotAgreed(&'static str),
    /// The filter speaks a version that we do not.
    #[error("the filter speaks version {0} of the protocol; 2 to 6 are known")]
    Version(u32),
    /// The filter wants more than was offered.
    #[error("the filter wants {what} that were not offered (bits {bits:#x})")]
    NotOffered {
        /// Actions or steps.
        what: &'static str,
        /// Those that were not offered.
        bits: u32,
    },
    /// More changes than [`crate::limits::MAX_EDITS`] or
    /// [`crate::limits::MAX_EDIT_OCTETS`] allow.
    #[error("the filter asks for more changes than a message may have")]
    TooManyEdits,
    /// The new body is larger than the caller allows.
    #[error("the filter's new body is larger than the {0} octets that are allowed")]
    BodyTooLarge(usize),
    /// The caller sent a command that cannot stand here.
    #[error("the command {0} cannot stand here")]
    OutOfOrder(&'static str),
}

impl Fault for MilterError {
    fn code(&self) -> &'static str {
        match self {
            Self::PacketTooLong { .. } => "milter.packet-too-long",
            Self::EmptyPacket => "milter.empty-packet",
            Self::UnknownLetter(_) => "milter.unknown-letter",
            Self::BadPacket { .. } => "milter.bad-packet",
            Self::Unexpected { .. } => "milter.unexpected-response",
            Self::NotAgreed(_) => "milter.not-agreed",
            Self::Version(_) => "milter.version",
            Self::NotOffered { .. } => "milter.not-offered",
            Self::TooManyEdits => "milter.too-many-edits",
            Self::BodyTooLarge(_) => "milter.body-too-large",
            Self::OutOfOrder(_) => "milter.out-of-order",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::OutOfOrder(_) => Retry::Bug,
            Self::Version(_) | Self::NotOffered { .. } => Retry::Operator,
            _ => Retry::Temporary,
        }
    }
}
