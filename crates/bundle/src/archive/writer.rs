//! Writing tar archives that are the same for the same files.

use crate::bounds::CHUNK;
use crate::error::{BundleError, Result};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use tar::{Builder, EntryType, Header};

/// Mode of a program in an archive and on disk.
pub(crate) const PROGRAM: u32 = 0o755;
/// Mode of any other file.
pub(crate) const PLAIN: u32 = 0o644;

/// Writes one archive. Nothing of the machine that makes it gets in: owner 0,
/// time 0, modes 0755 and 0644.
pub(crate) struct Writer<W: Write> {
    builder: Builder<W>,
    /// What is being written, for errors.
    path: std::path::PathBuf,
}

impl<W: Write> Writer<W> {
    pub(crate) fn new(inner: W, path: &Path) -> Self {
        Self { builder: Builder::new(inner), path: path.to_owned() }
    }

    /// Adds a file from memory.
    pub(crate) fn octets(&mut self, name: &str, octets: &[u8]) -> Result<()> {
        self.add(name, octets.len() as u64, false, octets)
    }

    /// Adds a file from disk, which must have the size that was seen before.
    pub(crate) fn file(
        &mut self,
        name: &str,
        from: &Path,
        size: u64,
        executable: bool,
    ) -> Result<()> {
        let file = File::open(from).map_err(BundleError::io("read", from))?;
        let now = file.metadata().map_err(BundleError::io("read", from))?.len();
        if now != size {
            let cause = format!("{} changes while it is read; try again", from.display());
            return Err(BundleError::invalid("the archive", cause));
        }
        let file = std::io::BufReader::with_capacity(CHUNK, file);
        self.add(name, size, executable, file.take(size))
    }

    fn add(&mut self, name: &str, size: u64, executable: bool, data: impl Read) -> Result<()> {
        let mut header = Header::new_ustar();
        let long = |e: std::io::Error| {
            let cause = format!("the name '{name}' does not fit into a header ({e}); shorten it");
            BundleError::invalid("the archive", cause)
        };
        header.set_path(name).map_err(long)?;
        header.set_entry_type(EntryType::Regular);
        header.set_mode(if executable { PROGRAM } else { PLAIN });
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(size);
        header.set_cksum();
        self.builder.append(&header, data).map_err(BundleError::io("write", &self.path))
    }

    /// Writes the end mark; gives back what was written to.
    pub(crate) fn finish(self) -> Result<W> {
        let Self { builder, path } = self;
        builder.into_inner().map_err(BundleError::io("write", &path))
    }
}
