//! Reading a log from a position on, past damage.

use crate::format::{
    ALIGN, BLOCK, Location, Position, RECORD_HEADER, RECORD_MAGIC, RecordHeader, SEGMENT_HEADER,
    SegmentHeader,
};
use crate::log::{io_error, segment_path};
use bytes::Bytes;
use concord_base::StorageError;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// A record as found.
#[derive(Debug, Clone)]
pub struct Record {
    /// Where it starts.
    pub position: Position,
    /// Where the next one starts.
    pub next: Position,
    /// Its number.
    pub sequence: u64,
    /// What the caller wrote.
    pub meta: Bytes,
    /// Where its body is.
    pub body: Location,
}

/// Octets that are not what was written there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Where it starts.
    pub position: Position,
    /// How many octets are passed over.
    pub octets: u64,
    /// What does not fit.
    pub cause: &'static str,
    /// No other write follows in the last segment: this one was cut off by power
    /// loss or a crash, and never acknowledged.
    pub torn_tail: bool,
}

/// What a scan saw.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScanSummary {
    /// Valid records.
    pub records: u64,
    /// Octets of valid records.
    pub octets: u64,
    /// Sequence of the last valid record.
    pub last_sequence: u64,
    /// The segment of the last valid record; 0 if there is none.
    pub last_segment: u64,
    /// Behind the last valid record.
    pub end: Position,
    /// All damage, in order.
    pub damage: Vec<Damage>,
    /// The log's identity, if a segment header could be read.
    pub log_id: Option<[u8; 16]>,
}

/// The segment numbers in a directory, ascending.
///
/// # Errors
/// [`StorageError::Io`] if the directory cannot be read.
pub fn segments(directory: &Path) -> Result<Vec<u64>, StorageError> {
    let entries = std::fs::read_dir(directory).map_err(|e| io_error("list", directory, &e))?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| io_error("list", directory, &e))?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|n| n.strip_suffix(".seg"));
        found.extend(number.and_then(|hex| u64::from_str_radix(hex, 16).ok()));
    }
    found.sort_unstable();
    Ok(found)
}

/// The identity of the log in a directory; `None` if there is no log, or no
/// segment whose header can be read.
///
/// # Errors
/// [`StorageError::Io`] if the directory is there and cannot be read.
pub fn log_id(directory: &Path) -> Result<Option<[u8; 16]>, StorageError> {
    if !directory.exists() {
        return Ok(None);
    }
    Ok(find_log_id(directory, &segments(directory)?))
}

/// Reads all records from `from` on in order; `visit` gets each and may stop
/// the scan with an error. With `bodies`, body checksums are verified too.
///
/// # Errors
/// What `visit` returns, or [`StorageError::Io`]. Damage is no error: it is
/// listed in the summary, and the scan goes on at the next valid record.
pub fn scan(
    directory: &Path,
    from: Position,
    bodies: bool,
    visit: &mut dyn FnMut(Record) -> Result<(), StorageError>,
) -> Result<ScanSummary, StorageError> {
    let numbers: Vec<u64> =
        segments(directory)?.into_iter().filter(|n| *n >= from.segment).collect();
    let mut summary = ScanSummary { end: from, ..ScanSummary::default() };
    let last = numbers.last().copied();
    let log_id = find_log_id(directory, &numbers).unwrap_or_default();
    for number in numbers {
        let start =
            if number == from.segment { from.offset.max(SEGMENT_HEADER) } else { SEGMENT_HEADER };
        let mut segment = Segment::open(directory, number, last == Some(number), log_id)?;
        segment.read(start, bodies, &mut summary, visit)?;
    }
    Ok(summary)
}

struct Segment {
    path: std::path::PathBuf,
    file: File,
    number: u64,
    octets: u64,
    is_last: bool,
    log_id: [u8; 16],
}

/// Salvage reads so much at a time while it looks for the next record.
const SALVAGE_WINDOW: usize = 1 << 20;

/// The log's identity, from the first segment whose header is readable.
fn find_log_id(directory: &Path, numbers: &[u64]) -> Option<[u8; 16]> {
    numbers.iter().find_map(|number| {
        let mut header = [0; 64];
        let file = File::open(segment_path(directory, *number)).ok()?;
        file.read_exact_at(&mut header, 0).ok()?;
        SegmentHeader::decode(&header).map(|h| h.log_id)
    })
}

fn bad(cause: &'static str, resume: u64) -> Found {
    Found::Bad { cause, resume }
}

enum Found {
    Record(RecordHeader, Bytes),
    /// What does not fit, and from where on a record may begin again: never
    /// within the body of a record whose header is good, for that is a mail.
    Bad {
        cause: &'static str,
        resume: u64,
    },
    End,
}

impl Segment {
    fn open(
        directory: &Path,
        number: u64,
        is_last: bool,
        log_id: [u8; 16],
    ) -> Result<Self, StorageError> {
        let path = segment_path(directory, number);
        let file = File::open(&path).map_err(|e| io_error("open", &path, &e))?;
        let octets = file.metadata().map_err(|e| io_error("read", &path, &e))?.len();
        Ok(Self { path, file, number, octets, is_last, log_id })
    }

    fn read(
        &mut self,
        start: u64,
        bodies: bool,
        summary: &mut ScanSummary,
        visit: &mut dyn FnMut(Record) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        self.read_header(summary)?;
        summary.end = summary.end.max(Position { segment: self.number, offset: start });
        let mut offset = start;
        while let Some(begins) = self.skip_zeros(offset)? {
            let position = Position { segment: self.number, offset: begins };
            offset = match self.record_at(begins, bodies)? {
                Found::End => break,
                Found::Record(header, meta) => {
                    let record = self.record(position, &header, meta, summary);
                    let next = record.next.offset;
                    visit(record)?;
                    next
                }
                Found::Bad { cause, resume } => {
                    match self.damaged(position, cause, resume, summary)? {
                        Some(next) => next,
                        None => break,
                    }
                }
            };
        }
        Ok(())
    }

    /// Enters a valid record into the summary.
    fn record(
        &self,
        position: Position,
        header: &RecordHeader,
        meta: Bytes,
        summary: &mut ScanSummary,
    ) -> Record {
        let offset = position.offset;
        let next = Position { segment: self.number, offset: offset + header.span() };
        if header.sequence != summary.last_sequence + 1 && self.follows(summary) {
            summary.damage.push(Damage {
                position,
                octets: 0,
                cause: "records are missing in front of this one",
                torn_tail: false,
            });
        }
        summary.records += 1;
        summary.octets += header.span();
        summary.last_sequence = header.sequence;
        summary.last_segment = self.number;
        summary.end = next;
        let body = Location {
            segment: self.number,
            offset: offset + RECORD_HEADER as u64 + u64::from(header.meta_octets),
            octets: header.body_octets,
        };
        Record { position, next, sequence: header.sequence, meta, body }
    }

    /// Enters damage into the summary; gives back where valid records go on.
    fn damaged(
        &self,
        position: Position,
        cause: &'static str,
        resume: u64,
        summary: &mut ScanSummary,
    ) -> Result<Option<u64>, StorageError> {
        let after = summary.last_sequence;
        let mut found = self.next_record(resume, after)?;
        if self.is_last && !self.write_begins_after(found, after)? {
            // All that follows is of the write that was cut off.
            found = None;
        }
        summary.damage.push(Damage {
            position,
            octets: found.unwrap_or(self.octets).saturating_sub(position.offset),
            cause,
            torn_tail: self.is_last && found.is_none(),
        });
        Ok(found)
    }

    /// Whether the record in front must be the one that the summary saw last.
    /// Where segments are missing, compaction has removed them.
    fn follows(&self, summary: &ScanSummary) -> bool {
        let before = summary.last_segment;
        before == self.number || before > 0 && before + 1 == self.number
    }

    fn read_header(&self, summary: &mut ScanSummary) -> Result<(), StorageError> {
        let header = self.octets_at(0, SEGMENT_HEADER as usize)?;
        match SegmentHeader::decode(&header).filter(|h| h.segment == self.number) {
            Some(header) if summary.log_id.is_none_or(|id| id == header.log_id) => {
                summary.log_id = Some(header.log_id);
            }
            other => summary.damage.push(Damage {
                position: Position { segment: self.number, offset: 0 },
                octets: SEGMENT_HEADER,
                cause: match other {
                    Some(_) => "the segment belongs to another log",
                    None => "the segment's header is not valid",
                },
                torn_tail: self.is_last && self.octets <= SEGMENT_HEADER,
            }),
        }
        Ok(())
    }

    /// Up to `octets` octets; fewer at the file's end.
    fn octets_at(&self, offset: u64, octets: usize) -> Result<Bytes, StorageError> {
        let left = usize::try_from(self.octets.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut buffer = vec![0; octets.min(left)];
        self.file
            .read_exact_at(&mut buffer, offset)
            .map_err(|e| io_error("read", &self.path, &e))?;
        Ok(buffer.into())
    }

    /// Where the next octets stand that are not room: `offset` itself, or the
    /// start of a later block; `None` if there is only room.
    fn skip_zeros(&self, offset: u64) -> Result<Option<u64>, StorageError> {
        let mut at = offset;
        while at < self.octets {
            let rest_of_block = (at + 1).next_multiple_of(BLOCK) - at;
            let octets = self.octets_at(at, usize::try_from(rest_of_block).unwrap_or(0))?;
            if octets.iter().any(|octet| *octet != 0) {
                return Ok(Some(at));
            }
            at += rest_of_block;
        }
        Ok(None)
    }

    fn record_at(&self, offset: u64, bodies: bool) -> Result<Found, StorageError> {
        if offset >= self.octets {
            return Ok(Found::End);
        }
        let head = self.octets_at(offset, RECORD_HEADER)?;
        let Ok(head) = <[u8; RECORD_HEADER]>::try_from(head.as_ref()) else {
            return Ok(bad("the file ends within a record's header", self.octets));
        };
        let Some(header) = RecordHeader::decode(&head, &self.log_id) else {
            return Ok(bad("no valid record header", offset + ALIGN));
        };
        let end = RECORD_HEADER as u64 + u64::from(header.meta_octets) + header.body_octets;
        if offset + end > self.octets {
            return Ok(bad("the file ends within a record", self.octets));
        }
        let meta = self.octets_at(
            offset + RECORD_HEADER as u64,
            usize::try_from(header.meta_octets).unwrap_or(usize::MAX),
        )?;
        if crc32c::crc32c(&meta) != header.meta_crc {
            return Ok(bad(
                "the record's acts do not match their checksum",
                offset + header.span(),
            ));
        }
        if bodies {
            let at = offset + RECORD_HEADER as u64 + u64::from(header.meta_octets);
            let body =
                self.octets_at(at, usize::try_from(header.body_octets).unwrap_or(usize::MAX))?;
            if crc32c::crc32c(&body) != header.body_crc {
                return Ok(bad(
                    "the record's body does not match its checksum",
                    offset + header.span(),
                ));
            }
        }
        Ok(Found::Record(header, meta))
    }

    /// Whether a write begins at `from` or behind it: then what is in front of
    /// it was synced once, and its damage is no torn tail.
    fn write_begins_after(&self, mut from: Option<u64>, after: u64) -> Result<bool, StorageError> {
        while let Some(offset) = from {
            match self.record_at(offset, true)? {
                Found::Record(header, _) if header.in_batch == 0 => return Ok(true),
                Found::Record(header, _) => from = self.skip_zeros(offset + header.span())?,
                Found::Bad { resume, .. } => from = self.next_record(resume, after)?,
                Found::End => from = None,
            }
        }
        Ok(false)
    }

    /// The start of the next valid record at or behind `offset`. A record's
    /// body may hold octets that look like a record (a mail with a log in it),
    /// so only one with a later sequence counts.
    fn next_record(&self, offset: u64, after: u64) -> Result<Option<u64>, StorageError> {
        let mut window_at = offset.next_multiple_of(ALIGN);
        while window_at < self.octets {
            let window = self.octets_at(window_at, SALVAGE_WINDOW + RECORD_HEADER)?;
            for at in (0..window.len().min(SALVAGE_WINDOW)).step_by(ALIGN as usize) {
                let head = window.get(at..at + RECORD_HEADER);
                let Some(head) = head.filter(|h| h.starts_with(&RECORD_MAGIC)) else { continue };
                let header = <&[u8; RECORD_HEADER]>::try_from(head).ok();
                let header = header.and_then(|head| RecordHeader::decode(head, &self.log_id));
                let candidate = window_at + at as u64;
                if header.is_some_and(|h| h.sequence > after)
                    && let Found::Record(..) = self.record_at(candidate, true)?
                {
                    return Ok(Some(candidate));
                }
            }
            window_at += SALVAGE_WINDOW as u64;
        }
        Ok(None)
    }
}

pub(crate) fn fuzz(data: &[u8]) {
    let _ = SegmentHeader::decode(data);
    for window in data.windows(RECORD_HEADER).step_by(ALIGN as usize) {
        if let Ok(window) = <&[u8; RECORD_HEADER]>::try_from(window) {
            let _ = RecordHeader::decode(window, &[0; 16]).map(|h| h.span());
        }
    }
}
