//! Setting mode and owner, and setting them back.

use super::{Before, Bench};
use crate::error::{Result, SetupError};
use crate::host::access_of;
use std::path::Path;

pub(super) fn look(path: &Path) -> Before {
    access_of(path).map_or(Before::Absent, Before::Access)
}

pub(super) fn perform(
    bench: &Bench<'_>,
    path: &Path,
    mode: u32,
    owner: Option<&str>,
    whole: bool,
) -> Result<()> {
    let owner = bench.owner(owner)?;
    if let (true, Some(owner)) = (whole, owner) {
        give_below(bench, path, owner)?;
    }
    bench.host.set_access(path, mode, owner)
}

fn give_below(bench: &Bench<'_>, path: &Path, owner: (u32, u32)) -> Result<()> {
    let entries = std::fs::read_dir(path).map_err(SetupError::io("list", path))?;
    for entry in entries {
        let entry = entry.map_err(SetupError::io("list", path))?.path();
        let Some(access) = access_of(&entry) else { continue };
        if entry.is_symlink() {
            continue;
        }
        bench.host.set_access(&entry, access.mode, Some(owner))?;
        if entry.is_dir() {
            give_below(bench, &entry, owner)?;
        }
    }
    Ok(())
}

/// The path itself gets back what it had; what is below it keeps the new owner,
/// who could read it before too.
pub(super) fn undo(bench: &Bench<'_>, path: &Path, before: &Before) -> Result<()> {
    match before {
        // Somebody took it away meanwhile: there is nothing to set back.
        _ if access_of(path).is_none() => Ok(()),
        Before::Access(a) => bench.host.set_access(path, a.mode, Some((a.uid, a.gid))),
        _ => Ok(()),
    }
}
