//! What a link tells its caller, and why it closes.

use super::table::{LinkInput, LinkState};
use crate::data::DataRecord;
use crate::error::WireCause;
use crate::header::{DataSetHeader, JobHeader, JobTrailer};
use crate::message::Message;
use crate::stream::StreamId;
use crate::text::Name;
use crate::ttc::NakReason;
use concord_base::{Fault, Retry};

/// What happened on a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The link is active: jobs and messages may be sent.
    Active {
        /// The largest block that both ends take.
        buffer_size: u16,
    },
    /// The link is down; the connection is to be closed once the output is out.
    Closed {
        /// Why.
        reason: CloseReason,
        /// Jobs that were under way to the partner. It has not taken them over,
        /// as far as we know: they are to be sent again from the start, with the
        /// same job header, so that the partner can tell if it has them.
        unconfirmed: Vec<StreamId>,
    },
    /// A message or command came.
    Message(Message),
    /// The partner asks to send a job: permit it, or let it wait, or refuse.
    Asked {
        /// Its stream.
        stream: StreamId,
        /// It did not wait for permission (FAST OPEN), and needs none.
        open: bool,
    },
    /// Something of a job came.
    Job {
        /// Its stream.
        stream: StreamId,
        /// What came.
        item: JobItem,
    },
    /// The job is whole. The partner keeps it until
    /// [`crate::Link::acknowledge`], which may be called only when the job is
    /// durable here.
    Whole(StreamId),
    /// The partner gave the job up; what came of it is void.
    Aborted(StreamId),
    /// The partner permits a job: it may be written.
    Permitted(StreamId),
    /// The partner refuses a job; it was not sent.
    Refused(StreamId),
    /// The partner has enough of a job and did not take it over.
    Cancelled(StreamId),
    /// The partner took the job over: it may be deleted here.
    Confirmed(StreamId),
    /// The partner holds everything (wait a bit), or no longer.
    Held(bool),
}

/// A part of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobItem {
    /// Its header.
    JobHeader(JobHeader),
    /// The header of a data set; its records follow.
    DataSetHeader(DataSetHeader),
    /// A record.
    Record(DataRecord),
    /// Its trailer.
    JobTrailer(JobTrailer),
}

/// Why a link closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// The partner answered OPEN with NAK.
    #[error("the partner refuses the link: {0}")]
    Refused(NakReason),
    /// The partner sent what cannot be read.
    #[error("octet {octet} of the connection: {cause}")]
    Malformed {
        /// Where, counted from the partner's first.
        octet: u64,
        /// What is wrong.
        cause: WireCause,
    },
    /// The partner sent what cannot stand there.
    #[error("the partner sent {input:?} in the state {state:?}")]
    Unexpected {
        /// The state.
        state: LinkState,
        /// What came.
        input: LinkInput,
    },
    /// Records of a job came in an order that no job has.
    #[error("{stream}: {what}")]
    StreamOrder {
        /// The stream.
        stream: StreamId,
        /// What came, and when.
        what: &'static str,
    },
    /// A job is larger than [`crate::JobLimit`].
    #[error("{stream}: the job is larger than what is allowed")]
    JobTooLarge {
        /// Its stream.
        stream: StreamId,
    },
    /// Blocks of the partner are missing.
    #[error("block {found} came where block {expected} was due")]
    SequenceGap {
        /// The number that was due.
        expected: u8,
        /// The number that came.
        found: u8,
    },
    /// The partner says that blocks of ours are missing.
    #[error("the partner misses block {0}")]
    PartnerMisses(u8),
    /// The partner signed on as another node.
    #[error("the partner signs on as {said}, not as {expected}; correct the node names")]
    WrongNode {
        /// Its name.
        said: Name,
        /// The name that it should have.
        expected: Name,
    },
    /// The partner's password is not the one that was agreed.
    #[error("the partner's {0} password is wrong")]
    WrongPassword(&'static str),
    /// The partner asked too often for the enquiry.
    #[error("the partner refuses the enquiry again and again")]
    EnquiryRefused,
    /// Nothing came for too long.
    #[error("the partner is silent in the state {0:?}")]
    Silent(LinkState),
    /// The connection is gone.
    #[error("the connection is gone")]
    Lost,
    /// The partner signed off.
    #[error("the partner signed off")]
    SignedOff,
    /// The caller ended the link.
    #[error("the link was ended here")]
    Ordered,
}

impl Fault for CloseReason {
    fn code(&self) -> &'static str {
        match self {
            Self::Refused(_) => "nje.refused",
            Self::Malformed { cause, .. } => cause.at(0).code(),
            Self::Unexpected { .. } => "nje.unexpected",
            Self::StreamOrder { .. } => "nje.stream-order",
            Self::JobTooLarge { .. } => "nje.job-too-large",
            Self::SequenceGap { .. } => "nje.sequence-gap",
            Self::PartnerMisses(_) => "nje.partner-misses",
            Self::WrongNode { .. } => "nje.wrong-node",
            Self::WrongPassword(_) => "nje.wrong-password",
            Self::EnquiryRefused => "nje.enquiry-refused",
            Self::Silent(_) => "nje.silent",
            Self::Lost => "nje.lost",
            Self::SignedOff => "nje.signed-off",
            Self::Ordered => "nje.ordered",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Refused(NakReason::NoSuchLink)
            | Self::WrongNode { .. }
            | Self::WrongPassword(_) => Retry::Operator,
            _ => Retry::Temporary,
        }
    }
}

/// The caller asked for what cannot be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UseError {
    /// The link is not active, or has a connection already.
    #[error("cannot {0}: the link is not in the state for it")]
    LinkState(&'static str),
    /// All streams are taken.
    #[error("cannot send another job now: all streams are taken")]
    NoFreeStream,
    /// The stream is not in the state for it.
    #[error("cannot {what} on {stream}: it is not in the state for it")]
    StreamState {
        /// The act.
        what: &'static str,
        /// The stream.
        stream: StreamId,
    },
    /// Parts of a job in an order that no job has.
    #[error("cannot write to {stream}: {what}")]
    JobOrder {
        /// The stream.
        stream: StreamId,
        /// What is wrong.
        what: &'static str,
    },
    /// Too much waits to be sent; go on when output was taken.
    #[error("cannot take more now: too much waits to be sent")]
    Full,
    /// A record is longer than the partner takes.
    #[error("cannot send a record of {octets} octets: the partner takes {most}")]
    RecordTooLong {
        /// Its octets.
        octets: usize,
        /// The partner's bound.
        most: usize,
    },
    /// A header is longer than pieces can be numbered.
    #[error("cannot send a header of {0} octets")]
    HeaderTooLong(usize),
    /// The partner would not survive it ([`crate::Partner::survives_cancel`]).
    #[error("cannot cancel a job of this partner: it would not survive that")]
    PartnerWouldDie,
}

impl Fault for UseError {
    fn code(&self) -> &'static str {
        match self {
            Self::LinkState(_) => "nje.link-state",
            Self::NoFreeStream => "nje.no-free-stream",
            Self::StreamState { .. } => "nje.stream-state",
            Self::JobOrder { .. } => "nje.job-order",
            Self::Full => "nje.full",
            Self::RecordTooLong { .. } => "nje.outgoing-record-too-long",
            Self::HeaderTooLong(_) => "nje.outgoing-header-too-long",
            Self::PartnerWouldDie => "nje.partner-would-die",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::NoFreeStream | Self::Full | Self::LinkState(_) => Retry::Temporary,
            Self::RecordTooLong { .. } | Self::HeaderTooLong(_) => Retry::Permanent,
            Self::PartnerWouldDie => Retry::Operator,
            Self::StreamState { .. } | Self::JobOrder { .. } => Retry::Bug,
        }
    }
}
