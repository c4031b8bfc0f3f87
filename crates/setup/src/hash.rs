//! SHA-256 of files.

use crate::error::{Result, SetupError};
use aws_lc_rs::digest::{Context, SHA256};
use concord_registry::TreeFile;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Read at a time; larger reads are not faster.
const CHUNK: usize = 256 << 10;
/// Deeper trees are not ours.
const MAX_DEPTH: usize = 32;

/// Lower-case hex.
pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|o| format!("{o:02x}")).collect()
}

/// SHA-256 of octets, lower-case hex.
pub fn sha256(octets: &[u8]) -> String {
    hex(aws_lc_rs::digest::digest(&SHA256, octets).as_ref())
}

/// SHA-256 of a file, lower-case hex.
pub fn sha256_of(path: &Path) -> Result<String> {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(path)?;
        let mut context = Context::new(&SHA256);
        let mut buffer = vec![0; CHUNK];
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                return Ok(hex(context.finish().as_ref()));
            }
            context.update(buffer.get(..count).unwrap_or_default());
        }
    };
    read().map_err(SetupError::io("read", path))
}

/// Every file of a tree with its hash, sorted by path. Links and other things
/// that are no files are refused: a release has none.
pub fn tree(path: &Path) -> Result<Vec<TreeFile>> {
    let mut files = Vec::new();
    walk(path, path, 0, &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(top: &Path, path: &Path, depth: usize, files: &mut Vec<TreeFile>) -> Result<()> {
    if depth > MAX_DEPTH {
        let cause = format!("{} is nested deeper than {MAX_DEPTH}", path.display());
        return Err(SetupError::invalid("read a tree", cause));
    }
    for entry in std::fs::read_dir(path).map_err(SetupError::io("list", path))? {
        let entry = entry.map_err(SetupError::io("list", path))?.path();
        let found = std::fs::symlink_metadata(&entry).map_err(SetupError::io("read", &entry))?;
        if found.is_dir() {
            walk(top, &entry, depth + 1, files)?;
        } else if found.is_file() {
            files.push(TreeFile {
                path: entry.strip_prefix(top).unwrap_or(&entry).to_owned(),
                sha256: sha256_of(&entry)?,
                size: found.len(),
                executable: found.mode() & 0o111 != 0,
            });
        } else {
            let cause = format!("{} is neither a file nor a directory", entry.display());
            return Err(SetupError::invalid("read a tree", cause));
        }
    }
    Ok(())
}
