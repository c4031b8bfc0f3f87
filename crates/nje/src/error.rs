//! What can be wrong with octets.

use concord_base::{Fault, Retry};

/// Octets that are not what they should be, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("octet {at}: {cause}")]
pub struct WireError {
    /// The octet, counted from 0 at the start of what was read: a control
    /// record, a TTB, a block, a decoded record. The link says where that stands
    /// in the connection.
    pub at: usize,
    /// What is wrong there.
    pub cause: WireCause,
}

/// Why octets cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireCause {
    /// The octets are over too early.
    #[error("{0} ends in the middle")]
    EndsEarly(&'static str),
    /// A control record that is neither OPEN nor ACK nor NAK.
    #[error("a control record is OPEN, ACK or NAK")]
    UnknownTtc,
    /// A TTB's header is no such thing.
    #[error("no TTB begins here: its flags are zero and its length at least 12")]
    TtbHeader,
    /// A TTR says more than its TTB has.
    #[error("a TTR of {0} octets is longer than its TTB")]
    TtrLength(usize),
    /// Octets behind the TTR that closes a TTB, or no such TTR.
    #[error("the TTB does not end with its closing TTR")]
    TtbEnd,
    /// A block that begins with none of the four sequences.
    #[error("no block begins with X'{0:02X}'")]
    UnknownBlock(u8),
    /// A block control octet of a reserved kind.
    #[error("no BCB is X'{0:02X}'")]
    UnknownBcb(u8),
    /// A string control octet that has no meaning.
    #[error("no SCB is X'{0:02X}'")]
    UnknownScb(u8),
    /// A record longer than [`crate::limits::MAX_RECORD`].
    #[error("the record has more than {0} octets")]
    RecordTooLong(usize),
    /// A record control octet that has no meaning.
    #[error("no RCB is X'{0:02X}'")]
    UnknownRcb(u8),
    /// A subrecord control octet that has no meaning here.
    #[error("no SRCB is X'{0:02X}' here")]
    UnknownSrcb(u8),
    /// A sign-on record whose length is not that of its kind.
    #[error("a sign-on record of this kind has not {0} octets")]
    SignOnLength(u8),
    /// A header's piece says another length than it has.
    #[error("the header's piece says {said} octets and has {has}")]
    PieceLength {
        /// What its prefix says.
        said: usize,
        /// What is there.
        has: usize,
    },
    /// The pieces of a header do not follow one another.
    #[error("the header's piece {found} stands where {expected} belongs")]
    PieceOrder {
        /// Its number.
        found: u8,
        /// The number that belongs there.
        expected: u8,
    },
    /// Something stands between the pieces of a header.
    #[error("a header breaks off before its last piece")]
    PieceMissing,
    /// A header longer than [`crate::limits::MAX_HEADER`].
    #[error("the header has more than {0} octets")]
    HeaderTooLong(usize),
    /// A section of a header that is shorter than its own prefix, or longer than
    /// the header.
    #[error("a header's section cannot have {0} octets")]
    SectionLength(usize),
    /// A data record with more octets than its length says.
    #[error("the data record says {said} octets and has {has}")]
    DataLength {
        /// What its length says.
        said: usize,
        /// What is there.
        has: usize,
    },
    /// A piece of a spanned record where it cannot stand.
    #[error("a spanned record has its pieces in disorder")]
    SpanOrder,
    /// A spanned record's pieces are not as long as it says, or it says more
    /// than [`crate::limits::MAX_SPANNED`].
    #[error("a spanned record's pieces are not the {0} octets that it says")]
    SpanLength(usize),
    /// The text of a message is longer than it may be.
    #[error("a message's text cannot have {0} octets")]
    MessageLength(usize),
}

impl WireCause {
    /// The error at an octet.
    pub(crate) const fn at(self, at: usize) -> WireError {
        WireError { at, cause: self }
    }
}

impl WireError {
    /// The same error in something that begins `octets` earlier.
    #[must_use]
    pub const fn behind(self, octets: usize) -> Self {
        Self { at: self.at.saturating_add(octets), cause: self.cause }
    }
}

impl Fault for WireError {
    fn code(&self) -> &'static str {
        match self.cause {
            WireCause::EndsEarly(_) => "nje.ends-early",
            WireCause::UnknownTtc => "nje.unknown-ttc",
            WireCause::TtbHeader => "nje.ttb-header",
            WireCause::TtrLength(_) => "nje.ttr-length",
            WireCause::TtbEnd => "nje.ttb-end",
            WireCause::UnknownBlock(_) => "nje.unknown-block",
            WireCause::UnknownBcb(_) => "nje.unknown-bcb",
            WireCause::UnknownScb(_) => "nje.unknown-scb",
            WireCause::RecordTooLong(_) => "nje.record-too-long",
            WireCause::UnknownRcb(_) => "nje.unknown-rcb",
            WireCause::UnknownSrcb(_) => "nje.unknown-srcb",
            WireCause::SignOnLength(_) => "nje.sign-on-length",
            WireCause::PieceLength { .. } => "nje.piece-length",
            WireCause::PieceOrder { .. } => "nje.piece-order",
            WireCause::PieceMissing => "nje.piece-missing",
            WireCause::HeaderTooLong(_) => "nje.header-too-long",
            WireCause::SectionLength(_) => "nje.section-length",
            WireCause::DataLength { .. } => "nje.data-length",
            WireCause::SpanOrder => "nje.span-order",
            WireCause::SpanLength(_) => "nje.span-length",
            WireCause::MessageLength(_) => "nje.message-length",
        }
    }

    fn retry(&self) -> Retry {
        Retry::Temporary
    }
}
