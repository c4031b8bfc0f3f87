//! The jobs in a recorded connection.

use crate::block::{Block, Sequence, SequenceCheck};
use crate::capture::{CapturePiece, Direction};
use crate::error::WireError;
use crate::frame::{FrameReader, Unit};
use crate::limits::TTC_LENGTH;
use crate::link::{Event, JobItem, ReceiveInput, Receiving};
use crate::record::{Record, RecordReader};
use crate::settings::JobLimit;
use crate::stream::StreamId;
use std::collections::BTreeMap;

/// A job as one end sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedJob {
    /// Its stream.
    pub stream: StreamId,
    /// Its parts: header, data sets with their records, trailer.
    pub items: Vec<JobItem>,
    /// Whether its end was recorded; a link that breaks leaves jobs without.
    pub whole: bool,
}

/// The jobs that one end sent in a recorded connection, in the order in which
/// they ended; those without an end are last. `under_way` says that the recording
/// does not begin with the control records; jobs that had begun before it are
/// left out. Holds all of them in memory: the limit is of one job.
///
/// # Errors
/// The octet of an error is counted from the end's first.
pub fn recorded_jobs(
    pieces: &[CapturePiece],
    sender: Direction,
    under_way: bool,
    limit: &JobLimit,
) -> Result<Vec<RecordedJob>, WireError> {
    let from = pieces.iter().filter(|piece| piece.direction == sender);
    let octets: Vec<u8> = from.flat_map(|piece| piece.octets.iter().copied()).collect();
    let skipped = if under_way { 0 } else { TTC_LENGTH.min(octets.len()) };
    let mut frames = FrameReader::new(u64::try_from(skipped).unwrap_or_default());
    frames.feed(octets.get(skipped..).unwrap_or_default());
    let mut recording = Recording { limit: *limit, open: BTreeMap::new(), jobs: Vec::new() };
    let mut check = SequenceCheck::default();
    while let Some(unit) = frames.next_unit()? {
        let Unit::Block { at, octets, .. } = unit else { continue };
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let Block::Data(block) = Block::parse(&octets).map_err(|error| error.behind(at))? else {
            continue;
        };
        // A recording may begin anywhere, so only what came twice is told.
        if check.judge(block.bcb) == Sequence::Duplicate {
            continue;
        }
        let mut reader = RecordReader::new(&block.records);
        while let Some(record) = reader.next_record().map_err(|error| error.behind(at))? {
            recording.record(record);
        }
    }
    let open = std::mem::take(&mut recording.open).into_iter();
    let open = open.filter(|(_, open)| !open.items.is_empty());
    recording.jobs.extend(open.map(|(stream, open)| RecordedJob {
        stream,
        items: open.items,
        whole: false,
    }));
    Ok(recording.jobs)
}

struct Recording {
    limit: JobLimit,
    open: BTreeMap<StreamId, Open>,
    jobs: Vec<RecordedJob>,
}

#[derive(Default)]
struct Open {
    receiving: Receiving,
    items: Vec<JobItem>,
}

impl Recording {
    fn record(&mut self, record: Record) {
        match record {
            Record::Request(stream) => {
                let open = self.open.entry(stream).or_default();
                *open = Open::default();
                // What the other end permitted is not looked at.
                open.receiving.step(ReceiveInput::Request);
                open.receiving.step(ReceiveInput::Permit);
            }
            Record::Job { stream, kind, octets } => {
                // A stream on which nothing was asked for has a job whose begin is
                // missing.
                let Some(open) = self.open.get_mut(&stream) else { return };
                match open.receiving.record(stream, kind, &octets, &self.limit) {
                    Ok(Some(Event::Job { item, .. })) => open.items.push(item),
                    Ok(Some(Event::Whole(_))) => {
                        let items = std::mem::take(&mut open.items);
                        self.jobs.push(RecordedJob { stream, items, whole: true });
                        self.open.remove(&stream);
                    }
                    Ok(None) => {}
                    // Given up, or in disorder.
                    Ok(Some(_)) | Err(_) => {
                        self.open.remove(&stream);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::read_capture;
    use crate::header::job;

    fn pieces(name: &str) -> Vec<CapturePiece> {
        let path = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
        read_capture(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    #[test]
    fn every_job_of_a_recording_is_found() {
        let pieces = pieces("funet-to-funet.nje");
        let limit = JobLimit::usual();
        let jobs = recorded_jobs(&pieces, Direction::FromOpener, false, &limit).unwrap();
        assert_eq!(jobs.len(), 10);
        assert!(jobs.iter().all(|job| job.whole));
        let JobItem::JobHeader(header) = &jobs[0].items[0] else { panic!("{:?}", jobs[0]) };
        assert_eq!(header.get(job::ORIGIN_NODE).unwrap().to_string(), "NODEA");
        let none = recorded_jobs(&pieces, Direction::FromListener, false, &limit).unwrap();
        assert_eq!(none.iter().filter(|job| job.whole).count(), none.len());
    }

    #[test]
    fn a_job_that_was_cut_off_is_told_from_whole_ones() {
        let mut pieces = pieces("funet-to-funet.nje");
        let last = pieces.iter().rposition(|p| p.direction == Direction::FromOpener).unwrap();
        pieces.truncate(last);
        let jobs =
            recorded_jobs(&pieces, Direction::FromOpener, false, &JobLimit::usual()).unwrap();
        assert!(jobs.iter().any(|job| !job.whole), "the last piece ends jobs");
    }
}
