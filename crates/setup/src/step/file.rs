//! Writing a file, and putting back what was there.

use super::{Before, Bench};
use crate::error::{Result, SetupError};
use crate::host::access_of;
use std::path::Path;

/// Copies what is there into the scratch directory.
pub(super) fn look(bench: &Bench<'_>, path: &Path) -> Result<Before> {
    let Ok(found) = std::fs::symlink_metadata(path) else { return Ok(Before::Absent) };
    if found.is_dir() {
        let cause = format!("{} is a directory; move it away", path.display());
        return Err(SetupError::invalid("write a file", cause));
    }
    let name = bench.save_as();
    bench.host.copy_path(path, &bench.scratch.join(&name))?;
    Ok(Before::Saved(name))
}

pub(super) fn perform(
    bench: &Bench<'_>,
    path: &Path,
    mode: u32,
    owner: Option<&str>,
    content: &str,
) -> Result<()> {
    bench.host.write_file(path, content.as_bytes(), mode, bench.owner(owner)?)
}

pub(super) fn undo(bench: &Bench<'_>, path: &Path, before: &Before) -> Result<()> {
    bench.host.remove_draft(path)?;
    match before {
        Before::Absent => bench.host.remove_file(path),
        Before::Saved(name) => put_back(bench, &bench.scratch.join(name), path),
        _ => Ok(()),
    }
}

/// The copy stays until the run has ended: undoing may be cut off too.
pub(super) fn put_back(bench: &Bench<'_>, saved: &Path, path: &Path) -> Result<()> {
    let octets = match std::fs::read_link(saved) {
        Ok(target) => return bench.host.write_link(path, &target),
        Err(_) => std::fs::read(saved).map_err(SetupError::io("read", saved))?,
    };
    let access = access_of(saved);
    let mode = access.map_or(0o600, |a| a.mode);
    bench.host.write_file(path, &octets, mode, access.map(|a| (a.uid, a.gid)))
}
