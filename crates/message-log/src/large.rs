//! Large bodies: a file each, written as they come.

use crate::log::{io_error, sync_directory};
use bytes::Bytes;
use concord_base::StorageError;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A large body's file holds its octets and, behind them, their CRC-32C.
const TRAILER: u64 = 4;

/// A finished large body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LargeBody {
    /// Its number: the file's name.
    pub number: u64,
    /// Its octets.
    pub octets: u64,
    /// Their CRC-32C.
    pub crc: u32,
}

/// The directory of large bodies.
#[derive(Debug, Clone)]
pub struct LargeBodies {
    directory: Arc<PathBuf>,
    next: Arc<AtomicU64>,
}

impl LargeBodies {
    /// Opens the directory, or makes it.
    ///
    /// # Errors
    /// [`StorageError::Io`]
    pub fn open(directory: PathBuf) -> Result<Self, StorageError> {
        std::fs::create_dir_all(&directory).map_err(|e| io_error("make", &directory, &e))?;
        let this = Self { directory: Arc::new(directory), next: Arc::default() };
        let newest = this.numbers()?.last().copied().unwrap_or(0);
        this.next.store(newest + 1, Ordering::SeqCst);
        Ok(this)
    }

    /// The directory as it is, to read from; nothing is made or looked at, and
    /// nothing may be written.
    pub fn read_only(directory: PathBuf) -> Self {
        Self { directory: Arc::new(directory), next: Arc::default() }
    }

    /// The file of a body.
    pub fn path(&self, number: u64) -> PathBuf {
        self.directory.join(format!("{number:016x}.body"))
    }

    /// The numbers of all files, ascending; some may be unfinished.
    ///
    /// # Errors
    /// [`StorageError::Io`]
    pub fn numbers(&self) -> Result<Vec<u64>, StorageError> {
        let mut found = Vec::new();
        let entries = std::fs::read_dir(&*self.directory)
            .map_err(|e| io_error("list", &self.directory, &e))?;
        for entry in entries.flatten() {
            let name = entry.file_name();
            let number = name.to_str().and_then(|n| n.strip_suffix(".body"));
            found.extend(number.and_then(|hex| u64::from_str_radix(hex, 16).ok()));
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Sees to it that no number up to `number` is given out again.
    pub fn reserve(&self, number: u64) {
        self.next.fetch_max(number + 1, Ordering::SeqCst);
    }

    /// Starts a body.
    ///
    /// # Errors
    /// [`StorageError`], as for every method here.
    pub fn create(&self) -> Result<LargeWriter, StorageError> {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let path = self.path(number);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(|e| storage_error("make", &path, &e))?;
        Ok(LargeWriter { file: Some(file), path, number, octets: 0, crc: 0 })
    }

    /// Octets `range` of a body; fewer at its end.
    ///
    /// # Errors
    /// [`StorageError::Damaged`] if the file is gone or too short.
    pub fn read(&self, body: LargeBody, range: Range<u64>) -> Result<Bytes, StorageError> {
        let path = self.path(body.number);
        let start = range.start.min(body.octets);
        let end = range.end.clamp(start, body.octets);
        let mut buffer = vec![0; usize::try_from(end - start).unwrap_or(0)];
        File::open(&path).and_then(|f| f.read_exact_at(&mut buffer, start)).map_err(|e| match e
            .kind()
        {
            ErrorKind::UnexpectedEof | ErrorKind::NotFound => StorageError::Damaged {
                path: path.display().to_string(),
                offset: start,
                cause: "the body is missing or shorter than its index says".into(),
            },
            _ => io_error("read", &path, &e),
        })?;
        Ok(buffer.into())
    }

    /// Whether the file has all octets and they match their checksum.
    ///
    /// # Errors
    /// [`StorageError::Damaged`] says what does not fit.
    pub fn verify(&self, body: LargeBody) -> Result<(), StorageError> {
        const WINDOW: u64 = 1 << 20;
        let damaged = |offset, cause: &str| StorageError::Damaged {
            path: self.path(body.number).display().to_string(),
            offset,
            cause: cause.into(),
        };
        let with_trailer = LargeBody { octets: body.octets + TRAILER, ..body };
        let mut crc = 0;
        let mut at = 0;
        while at < body.octets {
            let piece = self.read(body, at..at + WINDOW)?;
            crc = crc32c::crc32c_append(crc, &piece);
            at += piece.len() as u64;
        }
        let trailer = self.read(with_trailer, body.octets..body.octets + TRAILER)?;
        if trailer.as_ref() == crc.to_le_bytes() {
            Ok(())
        } else {
            Err(damaged(0, "the body does not match its checksum"))
        }
    }

    /// Removes a body; that it is gone already is no error.
    ///
    /// # Errors
    /// [`StorageError::Io`]
    pub fn remove(&self, number: u64) -> Result<(), StorageError> {
        let path = self.path(number);
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(io_error("remove", &path, &e)),
            _ => Ok(()),
        }
    }
}

fn storage_error(act: &'static str, path: &Path, cause: &std::io::Error) -> StorageError {
    match cause.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            StorageError::DiskFull { path: path.display().to_string(), free: 0, reserve: 0 }
        }
        _ => io_error(act, path, cause),
    }
}

/// A large body being written. Dropping it unfinished removes the file.
#[derive(Debug)]
pub struct LargeWriter {
    file: Option<File>,
    path: PathBuf,
    number: u64,
    octets: u64,
    crc: u32,
}

impl LargeWriter {
    /// Adds octets; blocks on the disk.
    ///
    /// # Errors
    /// [`StorageError`]
    pub fn write(&mut self, octets: &[u8]) -> Result<(), StorageError> {
        let Some(file) = &mut self.file else {
            return Err(StorageError::Bug("a finished body was written to".into()));
        };
        file.write_all(octets).map_err(|e| storage_error("write", &self.path, &e))?;
        self.crc = crc32c::crc32c_append(self.crc, octets);
        self.octets += octets.len() as u64;
        Ok(())
    }

    /// Makes the body durable; blocks on the disk.
    ///
    /// # Errors
    /// [`StorageError`]
    pub fn finish(mut self) -> Result<LargeBody, StorageError> {
        let Some(mut file) = self.file.take() else {
            return Err(StorageError::Bug("a body was finished twice".into()));
        };
        let durable = file
            .write_all(&self.crc.to_le_bytes())
            .and_then(|()| file.sync_all())
            .map_err(|e| storage_error("sync", &self.path, &e))
            .and_then(|()| self.path.parent().map_or(Ok(()), sync_directory));
        if let Err(error) = durable {
            let _ = std::fs::remove_file(&self.path);
            return Err(error);
        }
        Ok(LargeBody { number: self.number, octets: self.octets, crc: self.crc })
    }
}

impl Drop for LargeWriter {
    fn drop(&mut self) {
        if self.file.is_some() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
