//! Jobs that come.

use super::event::{CloseReason, Event, JobItem};
use super::order::{JobOrder, OrderError};
use super::table::{RECEIVE, ReceiveAction, ReceiveInput, ReceiveState, step};
use crate::data::DataJoiner;
use crate::error::{WireCause, WireError};
use crate::header::{Header, HeaderJoiner};
use crate::record::JobRecord;
use crate::settings::JobLimit;
use crate::stream::StreamId;

/// A stream on which the partner sends.
#[derive(Debug, Default)]
pub(crate) struct Receiving {
    state: ReceiveState,
    order: JobOrder,
    headers: HeaderJoiner,
    /// Which header is being joined.
    header: Option<JobRecord>,
    data: DataJoiner,
}

/// Why a record cannot be taken.
pub(crate) enum ReceiveError {
    Wire(WireError),
    Close(CloseReason),
}

impl From<WireError> for ReceiveError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl Receiving {
    /// Steps the stream's table; `None` if the input cannot stand here.
    pub(crate) fn step(&mut self, input: ReceiveInput) -> Option<ReceiveAction> {
        let (action, next) = step(RECEIVE, self.state, input)?;
        if matches!(next, ReceiveState::Asked | ReceiveState::Open)
            && !matches!(self.state, ReceiveState::Asked | ReceiveState::Open)
        {
            *self = Self::default();
        }
        self.state = next;
        Some(action)
    }

    pub(crate) const fn is_open(&self) -> bool {
        matches!(self.state, ReceiveState::Open)
    }

    /// Takes a record of the job.
    pub(crate) fn record(
        &mut self,
        stream: StreamId,
        kind: JobRecord,
        octets: &[u8],
        limit: &JobLimit,
    ) -> Result<Option<Event>, ReceiveError> {
        let (input, what) = match kind {
            JobRecord::EndOfFile => (ReceiveInput::EndOfFile, "the end of a job that is not open"),
            JobRecord::Abort => (ReceiveInput::Abort, "the abort of a job that is not open"),
            _ => (ReceiveInput::Record, "a record of a job that is not open"),
        };
        let action = self.step(input);
        let action =
            action.ok_or(ReceiveError::Close(CloseReason::StreamOrder { stream, what }))?;
        if action == ReceiveAction::Ignore {
            return Ok(None);
        }
        if kind == JobRecord::Abort {
            return Ok(Some(Event::Aborted(stream)));
        }
        let Some(item) = self.item(kind, octets)? else {
            if kind != JobRecord::EndOfFile {
                return Ok(None);
            }
            self.order.end().map_err(|error| closing(stream, error))?;
            return Ok(Some(Event::Whole(stream)));
        };
        let taken = self.order.take(stream.kind(), &item, Some(limit));
        taken.map_err(|error| closing(stream, error))?;
        Ok(Some(Event::Job { stream, item }))
    }

    fn item(&mut self, kind: JobRecord, octets: &[u8]) -> Result<Option<JobItem>, WireError> {
        if self.headers.is_open() && self.header != Some(kind) {
            return Err(WireCause::PieceMissing.at(0));
        }
        if let JobRecord::Data(format, piece) = kind {
            let record = self.data.push(format, piece, octets)?;
            return Ok(record.map(JobItem::Record));
        }
        if self.data.is_open() {
            return Err(WireCause::SpanOrder.at(0));
        }
        if matches!(kind, JobRecord::EndOfFile | JobRecord::Abort | JobRecord::DataSetTrailer) {
            return Ok(None);
        }
        self.header = Some(kind);
        let Some(sections) = self.headers.push(octets)? else { return Ok(None) };
        Ok(Some(match kind {
            JobRecord::JobHeader => JobItem::JobHeader(Header::parse(&sections)?),
            JobRecord::DataSetHeader => JobItem::DataSetHeader(Header::parse(&sections)?),
            _ => JobItem::JobTrailer(Header::parse(&sections)?),
        }))
    }
}

fn closing(stream: StreamId, error: OrderError) -> ReceiveError {
    ReceiveError::Close(match error {
        OrderError::Order(what) => CloseReason::StreamOrder { stream, what },
        OrderError::TooLarge => CloseReason::JobTooLarge { stream },
    })
}
