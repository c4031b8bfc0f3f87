//! How a job is known again.

use crate::header::{JobHeader, TodClock, job};
use crate::text::Name;

/// What tells two jobs apart. A link that breaks between a job's end and its
/// acknowledgement brings the job a second time, with the same header: a receiver
/// keeps the keys of what it took for some days, and drops what it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobKey {
    /// Origin node.
    pub node: Name,
    /// Spool number at the origin.
    pub job_id: u16,
    /// When it came into being there.
    pub entry_time: TodClock,
    /// Its name.
    pub name: Name,
    /// Its records.
    pub records: u32,
}

impl JobKey {
    /// The key of a job by its header; `None` if that lacks the fields.
    pub fn of(header: &JobHeader) -> Option<Self> {
        Some(Self {
            node: header.get(job::ORIGIN_NODE)?,
            job_id: header.get(job::JOB_ID)?,
            entry_time: header.get(job::ENTRY_TIME)?,
            name: header.get(job::JOB_NAME)?,
            records: header.get(job::RECORDS)?,
        })
    }
}
