//! A connection written down as it goes.

use concord_nje::{CaptureLine, CapturePiece, Direction, Name};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

/// A file that a link's connections are added to, in the form of
/// [`concord_nje::read_capture`]. Written at once, so that what came before a
/// fault is there; meant for finding faults, not for every day. The passwords of
/// the sign-on are in it.
#[derive(Debug)]
pub struct CaptureFile {
    file: File,
    start: Instant,
}

impl CaptureFile {
    /// Opens a file to add to, which only its owner can read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = File::options();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Self { file: options.open(path)?, start: Instant::now() })
    }

    /// Begins a connection: its times count from here.
    pub fn begin(&mut self, opener: Name, listener: Name) -> io::Result<()> {
        self.start = Instant::now();
        let line = CaptureLine::Begin { opener, listener, under_way: false };
        self.file.write_all(line.text().as_bytes())
    }

    /// Adds a piece.
    pub fn add(&mut self, direction: Direction, octets: &[u8]) -> io::Result<()> {
        let millis = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let piece = CapturePiece { millis, direction, octets: octets.to_vec() };
        self.file.write_all(piece.line().as_bytes())
    }
}
