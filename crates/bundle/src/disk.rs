//! Small files on disk: read with a bound, written whole and durable.

use crate::error::{BundleError, Result};
use std::fs::{File, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The directory that holds a name.
pub(crate) fn parent(place: &Path) -> &Path {
    match place.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Refuses a path in a directory that is to be packed: what is written there
/// would be in the next archive, and so would secret keys.
pub(crate) fn must_be_outside(place: &Path, directory: &Path) -> Result<()> {
    let top = directory.canonicalize().map_err(BundleError::io("read", directory))?;
    let absolute = std::path::absolute(place).map_err(BundleError::io("find", place))?;
    // What is not there yet is where the first directory above it is.
    let there = absolute.ancestors().find_map(|ancestor| ancestor.canonicalize().ok());
    if there.is_some_and(|there| there.starts_with(&top)) {
        let cause = format!(
            "{} is in {}, whose files are packed; choose a place outside",
            place.display(),
            directory.display()
        );
        return Err(BundleError::invalid("the archive", cause));
    }
    Ok(())
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(directory: &Path) -> Result<()> {
    let open = File::open(directory).map_err(BundleError::io("open", directory))?;
    open.sync_all().map_err(BundleError::io("sync", directory))
}

/// Writes a file whole or not at all, durable when it returns: beside its
/// place, synced, then renamed.
pub(crate) fn replace(place: &Path, octets: &[u8], mode: u32) -> Result<()> {
    write(place, octets, mode, false)
}

/// As [`replace`], but refuses to take the place of an existing file.
pub(crate) fn create(place: &Path, octets: &[u8], mode: u32) -> Result<()> {
    write(place, octets, mode, true)
}

fn write(place: &Path, octets: &[u8], mode: u32, new: bool) -> Result<()> {
    let directory = parent(place);
    let failed = || BundleError::io("write", place);
    let mut file = tempfile::NamedTempFile::new_in(directory).map_err(failed())?;
    file.write_all(octets).map_err(failed())?;
    file.as_file().set_permissions(Permissions::from_mode(mode)).map_err(failed())?;
    file.as_file().sync_all().map_err(failed())?;
    let named = if new { file.persist_noclobber(place) } else { file.persist(place) };
    named.map_err(|e| failed()(e.error))?;
    sync_directory(directory)
}

/// Reads a small file, `what`; more than `limit` octets are refused.
pub(crate) fn read(place: &Path, what: &str, limit: u64) -> Result<Vec<u8>> {
    let failed = || BundleError::io("read", place);
    let file = File::open(place).map_err(failed())?;
    let mut octets = Vec::new();
    file.take(limit + 1).read_to_end(&mut octets).map_err(failed())?;
    if octets.len() as u64 > limit {
        let (path, what) = (place.to_owned(), what.to_owned());
        return Err(BundleError::TooLarge { path, what, limit });
    }
    Ok(octets)
}

/// As [`read`]; none if there is no such file.
pub(crate) fn read_if_there(place: &Path, what: &str, limit: u64) -> Result<Option<Vec<u8>>> {
    match read(place, what, limit) {
        Ok(octets) => Ok(Some(octets)),
        Err(BundleError::Io { cause, .. }) if cause.kind() == std::io::ErrorKind::NotFound => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
