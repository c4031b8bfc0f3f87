//! A part of an open file.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;

/// A part of a file, read without moving the file's own position: what was
/// checked and what is unpacked is the same open file, whatever its name
/// leads to by then.
pub(crate) struct Part<'a> {
    file: &'a File,
    offset: u64,
    left: u64,
}

impl<'a> Part<'a> {
    /// `size` octets from `offset` on, or fewer if the file ends before.
    pub(crate) fn new(file: &'a File, offset: u64, size: u64) -> Self {
        Self { file, offset, left: size }
    }
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.file.read_at(buffer.get_mut(..most).unwrap_or_default(), self.offset)?;
        self.offset += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}
