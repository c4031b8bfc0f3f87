//! A message while it comes in from the core.

use bytes::Bytes;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

/// Octets of a message that stay in memory while it comes; a larger one waits in
/// an unnamed file, which is gone with the process.
const IN_MEMORY: usize = 1 << 20;

/// Octets that come piece by piece.
#[derive(Debug, Default)]
pub struct Collected {
    memory: Vec<u8>,
    spilled: Option<File>,
    octets: u64,
}

impl Collected {
    /// How many came so far.
    pub const fn octets(&self) -> u64 {
        self.octets
    }

    /// Takes a piece. `runtime` is where a file may lie.
    ///
    /// # Errors
    /// The file cannot be made or written.
    pub fn add(&mut self, piece: &Bytes, runtime: &Path) -> io::Result<()> {
        self.octets = self.octets.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if let Some(file) = &mut self.spilled {
            return file.write_all(piece);
        }
        self.memory.extend_from_slice(piece);
        if self.memory.len() > IN_MEMORY {
            let mut file = tempfile::tempfile_in(runtime)?;
            file.write_all(&self.memory)?;
            self.spilled = Some(file);
            self.memory = Vec::new();
        }
        Ok(())
    }

    /// The whole message.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn into_octets(self) -> io::Result<Vec<u8>> {
        let Some(mut file) = self.spilled else { return Ok(self.memory) };
        file.rewind()?;
        let mut octets = Vec::with_capacity(usize::try_from(self.octets).unwrap_or(0));
        file.read_to_end(&mut octets)?;
        Ok(octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_large_messages_come_out_as_they_went_in() {
        let scratch = tempfile::tempdir().unwrap();
        for pieces in [1, 40] {
            let mut collected = Collected::default();
            let mut whole = Vec::new();
            for n in 0..pieces {
                let piece = Bytes::from(vec![n; 60_000]);
                whole.extend_from_slice(&piece);
                collected.add(&piece, scratch.path()).unwrap();
            }
            assert_eq!(collected.into_octets().unwrap(), whole);
            assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0, "it has no name");
        }
    }
}
