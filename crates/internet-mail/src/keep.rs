//! Small files of what the service keeps across restarts. No mail is among it:
//! what is lost with such a file costs a stranger a second attempt, or a domain
//! a day of figures.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Octets of a file that is read: more than any of them has.
const MAX_FILE: u64 = 128 << 20;

/// A file's octets; `None` if it is not there.
///
/// # Errors
/// The system's; a file that is too large counts as damaged.
pub(crate) fn read(file: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let file = match File::open(file) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut octets = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut octets)?;
    if octets.len() as u64 > MAX_FILE {
        return Err(ErrorKind::FileTooLarge.into());
    }
    Ok(Some(octets))
}

/// Puts a new file into the place of the old one; a crash leaves one of both.
///
/// # Errors
/// The system's; then the old file is there.
pub(crate) fn write(file: &Path, octets: &[u8]) -> std::io::Result<()> {
    if let Some(directory) = file.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let new = file.with_extension("new");
    let mut to =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    to.write_all(octets)?;
    to.sync_all()?;
    std::fs::rename(&new, file)
}
