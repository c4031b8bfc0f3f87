//! What a server trusts, and what it has seen.

use super::{ROLES, ROOT, Verified};
use crate::bounds::MAX_METADATA;
use crate::digest;
use crate::disk;
use crate::error::{BundleError, Result};
use serde::de::DeserializeOwned;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use tough::schema::{Root, Signed, Snapshot, Targets, Timestamp};

/// The SHA-256 of the trusted root that led to the root seen last.
const ANCHOR: &str = "anchor";
/// A hash in hex.
const MAX_ANCHOR: u64 = 256;

/// What a server trusts, and what it has seen.
///
/// `seen` holds the newest root, timestamp, snapshot and targets that were
/// accepted. A bundle with older ones is refused; a bundle that is only
/// checked changes nothing there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The root that the administrator trusts, the whole `root.json`.
    pub root: Vec<u8>,
    /// The directory of what was seen. It need not exist.
    pub seen: PathBuf,
}

impl Trust {
    /// Remembers what a bundle showed: from now on older ones are refused, and
    /// a new root is trusted. Durable when it returns.
    pub fn accept(&self, verified: &Verified) -> Result<()> {
        let mut builder = DirBuilder::new();
        let made = builder.recursive(true).mode(0o755).create(&self.seen);
        made.map_err(BundleError::io("create", &self.seen))?;
        // Cut off at any point, the next check is as strict as the last one
        // or stricter: every file is whole, and none gets older.
        for (path, text) in self.records(verified)? {
            disk::replace(&path, text.as_bytes(), 0o644)?;
        }
        Ok(())
    }

    /// The files that [`Trust::accept`] writes, in its order, for whoever writes
    /// them together with the release.
    ///
    /// # Errors
    /// What was shown cannot be read.
    pub fn records(&self, verified: &Verified) -> Result<Vec<(PathBuf, String)>> {
        let mut files = Vec::new();
        for name in [ROOT].iter().chain(&ROLES) {
            let octets = disk::read(&verified.shown().join(name), "metadata", MAX_METADATA)?;
            // Metadata is JSON; what is no text was refused when it was checked.
            let text = String::from_utf8_lossy(&octets).into_owned();
            files.push((self.seen.join(name), text));
        }
        files.push((self.seen.join(ANCHOR), verified.anchor().to_owned()));
        Ok(files)
    }

    /// The root to begin with, and copies of what was seen in `to`.
    ///
    /// That is the root seen last if the trusted root led to it: keys that were
    /// revoked since must not be able to sign. If the administrator put another
    /// root in place, it is that one.
    pub(super) fn begin(&self, to: &Path) -> Result<Beginning> {
        let anchor = digest::sha256(&self.root);
        let mut root = self.root.clone();
        for name in ROLES {
            if let Some(octets) = self.seen_file(name)? {
                let place = to.join(name);
                std::fs::write(&place, octets).map_err(BundleError::io("write", &place))?;
            }
        }
        let place = self.seen.join(ANCHOR);
        let led = disk::read_if_there(&place, "the hash of the root", MAX_ANCHOR)?;
        if led.is_some_and(|led| led == anchor.as_bytes()) {
            root = self.seen_file(ROOT)?.ok_or_else(|| BundleError::Seen {
                path: self.seen.join(ROOT),
                cause: "it is gone".to_owned(),
            })?;
        }
        Ok(Beginning { root, anchor })
    }

    /// A file of what was seen, if it is there. It must be readable: `tough`
    /// would take a damaged one for none, and older bundles would be accepted.
    fn seen_file(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let path = self.seen.join(name);
        let Some(octets) = disk::read_if_there(&path, "metadata", MAX_METADATA)? else {
            return Ok(None);
        };
        let parsed = match name {
            ROOT => parses::<Root>(&octets),
            "timestamp.json" => parses::<Timestamp>(&octets),
            "snapshot.json" => parses::<Snapshot>(&octets),
            _ => parses::<Targets>(&octets),
        };
        match parsed {
            Ok(()) => Ok(Some(octets)),
            Err(e) => Err(BundleError::Seen { path, cause: e.to_string() }),
        }
    }
}

/// Where a check begins.
pub(super) struct Beginning {
    /// The root to trust.
    pub(super) root: Vec<u8>,
    /// The hash of the administrator's root.
    pub(super) anchor: String,
}

fn parses<T: DeserializeOwned>(octets: &[u8]) -> serde_json::Result<()> {
    serde_json::from_slice::<Signed<T>>(octets).map(|_| ())
}
