//! Jobs that go.

use super::event::{JobItem, UseError};
use super::order::{JobOrder, OrderError};
use super::table::{SEND, SendAction, SendInput, SendState, step};
use crate::header::split_header;
use crate::limits::{MAX_PIECE, MAX_SPANNED};
use crate::record::{JobRecord, Record};
use crate::settings::Partner;
use crate::stream::StreamId;
use bytes::Bytes;

/// A stream on which we send.
#[derive(Debug, Default)]
pub(crate) struct Sending {
    state: SendState,
    order: JobOrder,
}

impl Sending {
    /// Steps the stream's table; `None` if the input cannot stand here.
    pub(crate) fn step(&mut self, input: SendInput) -> Option<SendAction> {
        let (action, next) = step(SEND, self.state, input)?;
        if input == SendInput::Start {
            self.order = JobOrder::default();
        }
        self.state = next;
        Some(action)
    }

    pub(crate) fn is_free(&self) -> bool {
        self.state == SendState::Free
    }

    pub(crate) fn is_open(&self) -> bool {
        self.state == SendState::Open
    }

    /// The records that carry a part of a job.
    pub(crate) fn records(
        &mut self,
        stream: StreamId,
        item: &JobItem,
        partner: &Partner,
    ) -> Result<Vec<Record>, UseError> {
        if self.state != SendState::Open {
            return Err(UseError::StreamState { what: "write", stream });
        }
        let pieces = pieces(item, partner)?;
        let taken = self.order.take(stream.kind(), item, None);
        taken.map_err(|error| ordering(stream, error))?;
        let record = |(kind, octets)| Record::Job { stream, kind, octets };
        Ok(pieces.into_iter().map(record).collect())
    }

    /// Whether the job may end here.
    pub(crate) fn may_end(&self, stream: StreamId) -> Result<(), UseError> {
        self.order.end().map_err(|error| ordering(stream, error))
    }
}

fn pieces(item: &JobItem, partner: &Partner) -> Result<Vec<(JobRecord, Bytes)>, UseError> {
    let (kind, sections) = match item {
        JobItem::JobHeader(header) => (JobRecord::JobHeader, header.octets()),
        JobItem::DataSetHeader(header) => (JobRecord::DataSetHeader, header.octets()),
        JobItem::JobTrailer(trailer) => (JobRecord::JobTrailer, trailer.octets()),
        JobItem::Record(record) => {
            let most = if partner.spanned_records { MAX_SPANNED } else { MAX_PIECE };
            let octets = record.octets.len();
            let pieces = if octets <= most { record.pieces() } else { None };
            return pieces.ok_or(UseError::RecordTooLong { octets, most });
        }
    };
    let pieces = split_header(&sections).ok_or(UseError::HeaderTooLong(sections.len()))?;
    Ok(pieces.into_iter().map(|octets| (kind, octets)).collect())
}

const fn ordering(stream: StreamId, error: OrderError) -> UseError {
    let what = match error {
        OrderError::Order(what) => what,
        OrderError::TooLarge => "the job is too large",
    };
    UseError::JobOrder { stream, what }
}
