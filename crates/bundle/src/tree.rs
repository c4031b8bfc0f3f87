//! Directories of files that are to be packed.

use crate::bounds::MAX_DEPTH;
use crate::error::{BundleError, Result};
use crate::names;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Relative, plain ([`names::plain`]).
    pub(crate) path: String,
    /// Where it is.
    pub(crate) place: PathBuf,
    /// Octets.
    pub(crate) size: u64,
    /// Whether somebody may run it.
    pub(crate) executable: bool,
}

/// Every file of a directory, sorted by path. Links, devices and names that
/// would be refused when unpacking are refused here, and so is more than
/// `most` files.
pub(crate) fn files(directory: &Path, most: usize) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    walk(directory, directory, 0, most, &mut found)?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn walk(top: &Path, at: &Path, depth: usize, most: usize, found: &mut Vec<Found>) -> Result<()> {
    let refused = |place: &Path, why| BundleError::UnsafeEntry {
        path: top.to_owned(),
        entry: names::shown(place.strip_prefix(top).unwrap_or(place).as_os_str().as_bytes()),
        why,
    };
    if depth > MAX_DEPTH {
        return Err(refused(at, "is nested deeper than 16 directories"));
    }
    for entry in std::fs::read_dir(at).map_err(BundleError::io("list", at))? {
        let place = entry.map_err(BundleError::io("list", at))?.path();
        let seen = std::fs::symlink_metadata(&place).map_err(BundleError::io("read", &place))?;
        if seen.is_dir() {
            walk(top, &place, depth + 1, most, found)?;
            continue;
        }
        if seen.is_symlink() {
            return Err(refused(&place, "is a link"));
        }
        if !seen.is_file() {
            return Err(refused(&place, "is neither a file nor a directory"));
        }
        if found.len() >= most {
            let what = "the number of files".to_owned();
            return Err(BundleError::TooLarge { path: top.to_owned(), what, limit: most as u64 });
        }
        let name = place.strip_prefix(top).unwrap_or(&place).as_os_str().as_bytes();
        let path = names::plain(name).map_err(|why| refused(&place, why))?;
        let path = path.ok_or_else(|| refused(&place, "has no name"))?;
        let executable = seen.mode() & 0o111 != 0;
        found.push(Found { path, size: seen.len(), executable, place });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_base::Fault;

    #[test]
    fn files_are_sorted_and_links_are_refused() {
        let top = tempfile::tempdir().unwrap();
        std::fs::create_dir(top.path().join("b")).unwrap();
        std::fs::write(top.path().join("b/x"), "1").unwrap();
        std::fs::write(top.path().join("a"), "22").unwrap();
        let found = files(top.path(), 10).unwrap();
        let paths: Vec<&str> = found.iter().map(|f| f.path.as_str()).collect();
        assert_eq!(paths, ["a", "b/x"]);
        assert_eq!(files(top.path(), 1).unwrap_err().code(), "bundle.too-large");
        std::os::unix::fs::symlink("/etc/passwd", top.path().join("b/y")).unwrap();
        assert_eq!(files(top.path(), 10).unwrap_err().code(), "bundle.unsafe-entry");
    }
}
