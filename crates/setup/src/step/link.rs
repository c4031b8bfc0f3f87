//! Making a symbolic link, and letting it point where it pointed.

use super::{Before, Bench};
use crate::error::{Result, SetupError};
use std::path::Path;

pub(super) fn look(path: &Path) -> Result<Before> {
    match std::fs::symlink_metadata(path) {
        Err(_) => Ok(Before::Absent),
        Ok(found) if found.is_symlink() => {
            let target = std::fs::read_link(path).map_err(SetupError::io("read", path))?;
            Ok(Before::Link(target))
        }
        Ok(_) => {
            let cause = format!("{} is there and is no link; move it away", path.display());
            Err(SetupError::invalid("make a link", cause))
        }
    }
}

pub(super) fn undo(bench: &Bench<'_>, path: &Path, before: &Before) -> Result<()> {
    bench.host.remove_draft(path)?;
    match before {
        Before::Absent => bench.host.remove_file(path),
        Before::Link(target) => bench.host.write_link(path, target),
        _ => Ok(()),
    }
}
