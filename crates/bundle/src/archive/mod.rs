//! Tar archives: read with distrust, written without traces of the machine.

mod part;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use part::Part;
pub(crate) use reader::{ArchiveError, Entry, Reader};
pub(crate) use writer::{PLAIN, PROGRAM, Writer};

use crate::bounds::MAX_DECOMPRESSED;
use crate::error::BundleError;
use flate2::bufread::GzDecoder;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// A reader of a compressed archive. What is decompressed is counted: more
/// than any of our archives holds is refused.
pub(crate) type Compressed<R> = Reader<Limited<GzDecoder<BufReader<R>>>>;

/// Reads a compressed archive.
pub(crate) fn compressed<R: Read>(inner: R) -> Compressed<R> {
    let inner = GzDecoder::new(BufReader::new(inner));
    Reader::new(Limited { inner, left: MAX_DECOMPRESSED })
}

/// At the archive's end: whether the compressed stream ends there too.
pub(crate) fn nothing_follows<R: Read>(reader: Compressed<R>) -> Result<(), ArchiveError> {
    let mut rest = reader.into_inner().inner.into_inner();
    match rest.fill_buf() {
        Ok([]) => Ok(()),
        Ok(_) => Err(ArchiveError::broken("something follows the compressed data")),
        Err(e) => Err(ArchiveError::Io(e)),
    }
}

/// A reader that refuses to give more than a number of octets.
pub(crate) struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        match self.left.checked_sub(count as u64) {
            Some(left) => self.left = left,
            None => return Err(std::io::ErrorKind::FileTooLarge.into()),
        }
        Ok(count)
    }
}

/// Which file an [`ArchiveError`] is about decides how it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bundle,
    Package,
}

impl Kind {
    /// For `map_err` on reads of an archive.
    pub(crate) fn error(self, path: &Path) -> impl Fn(ArchiveError) -> BundleError {
        let path = path.to_owned();
        move |error| {
            let path = path.clone();
            match error {
                ArchiveError::Io(cause) => BundleError::Io { act: "read", path, cause },
                ArchiveError::Broken(cause) => self.broken(&path, cause),
                ArchiveError::Truncated => BundleError::Truncated { path },
                ArchiveError::TooLarge(what, limit) => {
                    BundleError::TooLarge { path, what: what.to_owned(), limit }
                }
                ArchiveError::Unsafe(entry, why) => BundleError::UnsafeEntry { path, entry, why },
            }
        }
    }

    /// It is not what it is called.
    pub(crate) fn broken(self, path: &Path, cause: impl std::fmt::Display) -> BundleError {
        let (path, cause) = (path.to_owned(), cause.to_string());
        match self {
            Self::Bundle => BundleError::NotABundle { path, cause },
            Self::Package => BundleError::NotAPackage { path, cause },
        }
    }
}

/// Reads arbitrary octets as an archive, plain and compressed.
pub(crate) fn fuzz(data: &[u8]) {
    drain(Reader::new(data));
    drain(compressed(data));
}

fn drain<R: Read>(mut reader: Reader<R>) {
    while let Ok(Some(entry)) = reader.next() {
        let plain = crate::names::plain(entry.path.as_bytes());
        assert_eq!(plain.as_ref().ok(), Some(&Some(entry.path)), "names are plain");
        if reader.each(|_| {}).is_err() {
            return;
        }
    }
}
