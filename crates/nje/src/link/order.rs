//! The order of a job's parts, and how much of it there is.

use super::event::JobItem;
use crate::settings::JobLimit;
use crate::stream::StreamKind;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Stage {
    #[default]
    Start,
    Header,
    DataSet,
    Trailer,
}

/// Why a part cannot stand where it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderError {
    Order(&'static str),
    TooLarge,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct JobOrder {
    stage: Stage,
    records: u64,
    octets: u64,
    data_sets: u32,
}

impl JobOrder {
    /// Takes the next part.
    pub(crate) fn take(
        &mut self,
        kind: StreamKind,
        item: &JobItem,
        limit: Option<&JobLimit>,
    ) -> Result<(), OrderError> {
        let stage = self.stage;
        match item {
            JobItem::JobHeader(_) if stage == Stage::Start => self.stage = Stage::Header,
            JobItem::JobHeader(_) => {
                return Err(OrderError::Order("a second job header in a job"));
            }
            _ if stage == Stage::Start => {
                return Err(OrderError::Order("a job that begins without its header"));
            }
            _ if stage == Stage::Trailer => {
                return Err(OrderError::Order("more of a job behind its trailer"));
            }
            JobItem::DataSetHeader(_) => {
                self.stage = Stage::DataSet;
                self.data_sets = self.data_sets.saturating_add(1);
            }
            JobItem::Record(_) if kind == StreamKind::Sysout && stage != Stage::DataSet => {
                return Err(OrderError::Order("data of SYSOUT without a data set header"));
            }
            JobItem::Record(record) => {
                self.records = self.records.saturating_add(1);
                let octets = u64::try_from(record.octets.len()).unwrap_or(u64::MAX);
                self.octets = self.octets.saturating_add(octets);
            }
            JobItem::JobTrailer(_) => self.stage = Stage::Trailer,
        }
        let fits = limit.is_none_or(|limit| {
            self.records <= limit.records
                && self.octets <= limit.octets
                && self.data_sets <= limit.data_sets
        });
        if fits { Ok(()) } else { Err(OrderError::TooLarge) }
    }

    /// Whether the job may end here.
    pub(crate) fn end(&self) -> Result<(), OrderError> {
        if self.stage == Stage::Trailer {
            return Ok(());
        }
        Err(OrderError::Order("a job that ends without its trailer"))
    }
}
