//! Making a directory, and unmaking it.

use super::{Before, Bench};
use crate::error::Result;
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
) -> Result<()> {
    bench.host.make_directory(path, mode)?;
    bench.host.set_access(path, mode, bench.owner(owner)?)
}

/// What stands in it came behind it, within the same run.
pub(super) fn undo(bench: &Bench<'_>, path: &Path, before: &Before) -> Result<()> {
    match before {
        Before::Absent => bench.host.remove_tree(path),
        Before::Access(access) => {
            bench.host.set_access(path, access.mode, Some((access.uid, access.gid)))
        }
        _ => Ok(()),
    }
}

pub(super) fn remove_if_empty(bench: &Bench<'_>, path: &Path) -> Result<()> {
    let empty = std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if empty { bench.host.remove_directory(path) } else { Ok(()) }
}

/// The journal goes last: until then a run that is cut off is finished. The
/// lock stays, it is held; it goes with the root.
pub(super) fn purge_setup(bench: &Bench<'_>) -> Result<()> {
    let layout = &bench.host.layout;
    let journal = layout.journal();
    for entry in crate::survey::entries(&layout.setup()) {
        if entry != journal && entry != layout.lock() {
            bench.host.remove_tree(&entry)?;
        }
    }
    bench.host.remove_file(&journal)
}
