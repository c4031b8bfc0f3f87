//! Reading bodies by location.

use crate::format::Location;
use crate::log::{io_error, segment_path};
use bytes::Bytes;
use concord_base::StorageError;
use std::collections::HashMap;
use std::fs::File;
use std::io::ErrorKind;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Open segment files; 64 of 64 MiB are 4 GiB of mail at hand.
const MAX_OPEN: usize = 64;

/// Reads from segments. Cheap to clone; usable from many threads.
#[derive(Debug, Clone)]
pub struct Reader {
    directory: Arc<PathBuf>,
    open: Arc<Mutex<HashMap<u64, Arc<File>>>>,
}

impl Reader {
    /// A reader of the log in `directory`.
    pub fn new(directory: PathBuf) -> Self {
        Self { directory: Arc::new(directory), open: Arc::default() }
    }

    fn file(&self, segment: u64) -> Result<Arc<File>, StorageError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = open.get(&segment) {
            return Ok(Arc::clone(file));
        }
        let path = segment_path(&self.directory, segment);
        let file = Arc::new(File::open(&path).map_err(|e| io_error("open", &path, &e))?);
        if open.len() >= MAX_OPEN
            && let Some(oldest) = open.keys().min().copied()
        {
            open.remove(&oldest);
        }
        open.insert(segment, Arc::clone(&file));
        Ok(file)
    }

    /// Forgets a segment that is about to be removed.
    pub fn forget(&self, segment: u64) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&segment);
    }

    /// A whole body, checked against its CRC-32C.
    ///
    /// # Errors
    /// [`StorageError::Damaged`] if it is not what was written.
    pub fn read_checked(&self, location: Location, crc: u32) -> Result<Bytes, StorageError> {
        let body = self.read(location, 0..location.octets)?;
        if crc32c::crc32c(&body) == crc {
            return Ok(body);
        }
        Err(StorageError::Damaged {
            path: segment_path(&self.directory, location.segment).display().to_string(),
            offset: location.offset,
            cause: "the message does not match its checksum".into(),
        })
    }

    /// Octets `range` of the body at `location`; fewer at its end.
    ///
    /// # Errors
    /// [`StorageError::Damaged`] if the segment is gone or too short.
    pub fn read(&self, location: Location, range: Range<u64>) -> Result<Bytes, StorageError> {
        let start = range.start.min(location.octets);
        let end = range.end.clamp(start, location.octets);
        let file = self.file(location.segment)?;
        let mut buffer = vec![0; usize::try_from(end - start).unwrap_or(0)];
        file.read_exact_at(&mut buffer, location.offset + start).map_err(|e| {
            let path = segment_path(&self.directory, location.segment);
            match e.kind() {
                ErrorKind::UnexpectedEof => StorageError::Damaged {
                    path: path.display().to_string(),
                    offset: location.offset + start,
                    cause: "the file is shorter than its index says".into(),
                },
                _ => io_error("read", &path, &e),
            }
        })?;
        Ok(buffer.into())
    }
}
