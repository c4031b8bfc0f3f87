//! Small files of what the service keeps across restarts. No mail is among it:
//! what is lost with such a file costs a stranger a second attempt, or a domain
//! a day of figures.

pub(crate) use concord_files::replace as write;
use std::path::Path;

/// Octets of a file that is read: more than any of them has.
const MAX_FILE: u64 = 128 << 20;

/// A file's octets; `None` if it is not there.
///
/// # Errors
/// The system's; a file that is too large counts as damaged.
pub(crate) fn read(file: &Path) -> std::io::Result<Option<Vec<u8>>> {
    concord_files::read(file, MAX_FILE)
}
