//! SHA-256.

use crate::bounds::CHUNK;
use crate::error::{BundleError, Result};
use aws_lc_rs::digest::{Context, SHA256};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Lower-case hex.
pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|o| format!("{o:02x}")).collect()
}

/// SHA-256 of octets, lower-case hex.
pub(crate) fn sha256(octets: &[u8]) -> String {
    hex(aws_lc_rs::digest::digest(&SHA256, octets).as_ref())
}

/// Whether it is a SHA-256 as this crate writes it.
pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
}

/// SHA-256 and size of what is fed piece by piece.
#[derive(Clone)]
pub(crate) struct Hasher {
    context: Context,
    size: u64,
}

impl Hasher {
    pub(crate) fn new() -> Self {
        Self { context: Context::new(&SHA256), size: 0 }
    }

    pub(crate) fn update(&mut self, octets: &[u8]) {
        self.context.update(octets);
        self.size = self.size.saturating_add(octets.len() as u64);
    }

    /// The hash in lower-case hex, and the octets fed.
    pub(crate) fn finish(self) -> (String, u64) {
        (hex(self.context.finish().as_ref()), self.size)
    }
}

/// SHA-256 (lower-case hex) and size of a file.
pub(crate) fn of_file(path: &Path) -> Result<(String, u64)> {
    let read = || -> std::io::Result<(String, u64)> {
        let mut file = File::open(path)?;
        let mut hasher = Hasher::new();
        let mut buffer = vec![0; CHUNK];
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                return Ok(hasher.finish());
            }
            hasher.update(buffer.get(..count).unwrap_or_default());
        }
    };
    read().map_err(BundleError::io("read", path))
}
