//! Writing.

use crate::format::{
    BLOCK, Location, MAX_BODY_OCTETS, MAX_META_OCTETS, Position, RECORD_HEADER, RecordHeader,
    SEGMENT_HEADER, SegmentHeader,
};
use crate::scan::{Damage, Record, ScanSummary, scan, segments};
use bytes::Bytes;
use concord_base::StorageError;
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A cut-off tail is kept as evidence up to this size.
const MAX_EVIDENCE: u64 = 64 << 20;
/// A write that makes a file longer costs more syncing than one into octets
/// that are there. So small writes come with room for the next ones.
const ROOM: u64 = 256 << 10;
/// Larger writes come without: they are seldom waited for alone, and room would
/// double what they write.
const ROOM_BELOW: u64 = 32 << 10;
/// The write buffer keeps at most this much between batches.
const KEEP_BUFFER: usize = 1 << 20;

/// How a log is kept.
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// Where the segments are.
    pub directory: PathBuf,
    /// A segment that has reached this size is closed.
    pub segment_octets: u64,
    /// The identity of a log that is made now; an existing one has its own.
    pub new_log_id: [u8; 16],
}

/// What to append.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The acts.
    pub meta: Vec<u8>,
    /// The body; may be empty.
    pub body: Bytes,
}

/// Where an appended record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Its number.
    pub sequence: u64,
    /// Behind it.
    pub next: Position,
    /// Its body.
    pub body: Location,
}

/// An opened log and what opening saw.
#[derive(Debug)]
pub struct Opened {
    /// Ready to append.
    pub log: Log,
    /// What the replay saw.
    pub summary: ScanSummary,
}

/// The writing end of a message log. One per directory; the caller sees to that.
#[derive(Debug)]
pub struct Log {
    options: LogOptions,
    log_id: [u8; 16],
    file: File,
    path: PathBuf,
    segment: u64,
    end: u64,
    /// Octets that the file has; what lies behind `end` is zeros.
    octets: u64,
    next_sequence: u64,
    buffer: Vec<u8>,
    poisoned: Option<StorageError>,
}

/// The file of a segment.
pub fn segment_path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:016x}.seg"))
}

pub(crate) fn io_error(act: &'static str, path: &Path, cause: &std::io::Error) -> StorageError {
    StorageError::Io { act, path: path.display().to_string(), cause: cause.to_string() }
}

/// Makes files' names durable. Directories are synced after every creation.
pub(crate) fn sync_directory(directory: &Path) -> Result<(), StorageError> {
    File::open(directory).and_then(|d| d.sync_all()).map_err(|e| io_error("sync", directory, &e))
}

impl Log {
    /// Opens the log, or makes it; replays what lies behind `from` (records
    /// with a sequence above `applied`) through `visit`; cuts a torn tail off.
    ///
    /// # Errors
    /// What `visit` returns, or the system's refusal.
    pub fn open(
        options: LogOptions,
        from: Position,
        applied: u64,
        visit: &mut dyn FnMut(Record) -> Result<(), StorageError>,
    ) -> Result<Opened, StorageError> {
        std::fs::create_dir_all(&options.directory)
            .map_err(|e| io_error("make", &options.directory, &e))?;
        remove_stillborn(&options.directory)?;
        let mut summary = scan(&options.directory, from, true, &mut |record| {
            if record.sequence > applied { visit(record) } else { Ok(()) }
        })?;
        let numbers = segments(&options.directory)?;
        let log_id = summary.log_id.unwrap_or(options.new_log_id);
        let next_sequence = summary.last_sequence.max(applied) + 1;
        let newest = numbers.last().copied().unwrap_or(0);
        // Also after damage that was not a torn tail a new segment is begun:
        // nothing is written behind what could not be read.
        let torn = summary.damage.last().filter(|d| d.torn_tail).cloned();
        let unclear = summary.damage.iter().any(|d| !d.torn_tail && d.position.segment == newest);
        let path = segment_path(&options.directory, newest);
        let octets = std::fs::metadata(&path).map_or(0, |m| m.len());
        // An index that is ahead of the log points behind the file's end.
        let reaches = (SEGMENT_HEADER..=octets).contains(&summary.end.offset);
        let log = if summary.end.segment == newest && reaches && !unclear {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .open(&path)
                .map_err(|e| io_error("open", &path, &e))?;
            if let Some(torn) = &torn {
                cut_off(&options.directory, &file, &path, torn)?;
            }
            let end = summary.end.offset.next_multiple_of(BLOCK);
            let octets = file.metadata().map_err(|e| io_error("read", &path, &e))?.len();
            Self {
                octets,
                log_id,
                file,
                path,
                segment: newest,
                end,
                next_sequence,
                buffer: Vec::new(),
                poisoned: None,
                options,
            }
        } else {
            let (file, path) = new_segment(&options.directory, newest + 1, log_id)?;
            Self {
                octets: SEGMENT_HEADER,
                log_id,
                file,
                path,
                segment: newest + 1,
                end: SEGMENT_HEADER,
                next_sequence,
                buffer: Vec::new(),
                poisoned: None,
                options,
            }
        };
        summary.log_id = Some(log.log_id);
        summary.end = log.end();
        Ok(Opened { log, summary })
    }

    /// The log's identity.
    pub fn log_id(&self) -> [u8; 16] {
        self.log_id
    }

    /// Behind the last record.
    pub fn end(&self) -> Position {
        Position { segment: self.segment, offset: self.end }
    }

    /// Writes the entries behind one another and syncs once. All are durable
    /// when this returns, or none is there.
    ///
    /// # Errors
    /// [`StorageError::DiskFull`] leaves the log as it was. After any other
    /// error the log refuses everything (see the crate's invariants).
    pub fn append(&mut self, entries: &[Entry]) -> Result<Vec<Placed>, StorageError> {
        if let Some(error) = &self.poisoned {
            return Err(error.clone());
        }
        if self.end >= self.options.segment_octets.max(SEGMENT_HEADER + 1) {
            self.roll()?;
        }
        let placed = self.encode(entries)?;
        match self.file.write_all_at(&self.buffer, self.end) {
            Ok(()) => {}
            Err(e) if matches!(e.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
                return Err(self.undo_write(&e));
            }
            Err(e) => return Err(self.poison("write", &e)),
        }
        match self.file.sync_data() {
            Ok(()) => {}
            // Delayed allocation may find out only now; nothing of the batch is
            // promised yet, but what the kernel kept of it is unknown.
            Err(e) => return Err(self.poison("sync", &e)),
        }
        self.octets = self.octets.max(self.end + self.buffer.len() as u64);
        if let Some(last) = placed.last() {
            self.end = last.next.offset;
        }
        self.next_sequence += entries.len() as u64;
        if self.buffer.capacity() > KEEP_BUFFER {
            self.buffer = Vec::new();
        }
        Ok(placed)
    }

    fn encode(&mut self, entries: &[Entry]) -> Result<Vec<Placed>, StorageError> {
        self.buffer.clear();
        let mut placed = Vec::with_capacity(entries.len());
        for ((sequence, in_batch), entry) in (self.next_sequence..).zip(0..).zip(entries) {
            let meta_octets = u32::try_from(entry.meta.len()).unwrap_or(u32::MAX);
            let body_octets = entry.body.len() as u64;
            if meta_octets > MAX_META_OCTETS || body_octets > MAX_BODY_OCTETS {
                return Err(StorageError::Bug("a log record is too large".into()));
            }
            let header = RecordHeader {
                sequence,
                meta_octets,
                body_octets,
                meta_crc: crc32c::crc32c(&entry.meta),
                body_crc: crc32c::crc32c(&entry.body),
                in_batch,
            };
            let start = self.end + self.buffer.len() as u64;
            self.buffer.extend_from_slice(&header.encode(&self.log_id));
            self.buffer.extend_from_slice(&entry.meta);
            self.buffer.extend_from_slice(&entry.body);
            let next = start + header.span();
            self.fill_to(next);
            placed.push(Placed {
                sequence,
                next: Position { segment: self.segment, offset: next },
                body: Location {
                    segment: self.segment,
                    offset: start + RECORD_HEADER as u64 + u64::from(meta_octets),
                    octets: body_octets,
                },
            });
        }
        let next = (self.end + self.buffer.len() as u64).next_multiple_of(BLOCK);
        self.fill_to(next);
        if let Some(last) = placed.last_mut() {
            last.next.offset = next;
        }
        if next > self.octets && (self.buffer.len() as u64) < ROOM_BELOW {
            self.fill_to(next + ROOM);
        }
        Ok(placed)
    }

    /// Fills the buffer with zeros up to a place in the segment.
    fn fill_to(&mut self, offset: u64) {
        let octets = usize::try_from(offset.saturating_sub(self.end)).unwrap_or(usize::MAX);
        self.buffer.resize(octets.max(self.buffer.len()), 0);
    }

    /// Closes the segment and begins the next one.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn roll(&mut self) -> Result<(), StorageError> {
        match new_segment(&self.options.directory, self.segment + 1, self.log_id) {
            Ok((file, path)) => {
                self.file = file;
                self.path = path;
                self.segment += 1;
                self.end = SEGMENT_HEADER;
                self.octets = SEGMENT_HEADER;
                Ok(())
            }
            Err(error) => {
                // A half-made segment would be in the way of the next try.
                let path = segment_path(&self.options.directory, self.segment + 1);
                let _ = std::fs::remove_file(path);
                Err(error)
            }
        }
    }

    fn undo_write(&mut self, cause: &std::io::Error) -> StorageError {
        match self.file.set_len(self.end) {
            Ok(()) => {
                self.octets = self.end;
                StorageError::DiskFull {
                    path: self.options.directory.display().to_string(),
                    free: 0,
                    reserve: 0,
                }
            }
            Err(_) => self.poison("write", cause),
        }
    }

    fn poison(&mut self, act: &'static str, cause: &std::io::Error) -> StorageError {
        let error = io_error(act, &self.path, cause);
        self.poisoned = Some(error.clone());
        error
    }

    /// Whether a failed write or sync made the log unusable.
    pub fn is_poisoned(&self) -> bool {
        self.poisoned.is_some()
    }
}

/// A crash while a segment was made leaves a file without a valid header and
/// without records; it is in the way.
fn remove_stillborn(directory: &Path) -> Result<(), StorageError> {
    let Some(newest) = segments(directory)?.last().copied() else { return Ok(()) };
    let path = segment_path(directory, newest);
    let octets = std::fs::read(&path).ok().filter(|o| o.len() as u64 <= SEGMENT_HEADER);
    if octets.is_some_and(|o| SegmentHeader::decode(&o).is_none()) {
        std::fs::remove_file(&path).map_err(|e| io_error("remove", &path, &e))?;
        sync_directory(directory)?;
    }
    Ok(())
}

fn new_segment(
    directory: &Path,
    number: u64,
    log_id: [u8; 16],
) -> Result<(File, PathBuf), StorageError> {
    let path = segment_path(directory, number);
    let make = || {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        file.write_all_at(&SegmentHeader { segment: number, log_id }.encode(), 0)?;
        file.sync_all()?;
        Ok(file)
    };
    let file = make().map_err(|e: std::io::Error| match e.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            StorageError::DiskFull { path: directory.display().to_string(), free: 0, reserve: 0 }
        }
        _ => io_error("make", &path, &e),
    })?;
    sync_directory(directory)?;
    Ok((file, path))
}

fn cut_off(directory: &Path, file: &File, path: &Path, torn: &Damage) -> Result<(), StorageError> {
    let mut evidence = vec![0; usize::try_from(torn.octets.min(MAX_EVIDENCE)).unwrap_or(0)];
    let read = file.read_exact_at(&mut evidence, torn.position.offset);
    let octets = evidence.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
    evidence.truncate(octets);
    if read.is_ok() && !evidence.is_empty() {
        let name = format!("{:016x}-{}.torn", torn.position.segment, torn.position.offset);
        let kept = directory.join(name);
        // Best effort: the tail was never acknowledged, and a full disk must
        // not keep the server from starting.
        let _ = std::fs::write(kept, &evidence);
    }
    file.set_len(torn.position.offset)
        .and_then(|()| file.sync_all())
        .map_err(|e| io_error("cut", path, &e))
}
