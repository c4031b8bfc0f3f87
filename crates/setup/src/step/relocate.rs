//! Moving and copying, and the way back.

use super::{Before, Bench, directory};
use crate::error::{Result, SetupError};
use std::path::{Path, PathBuf};

fn exists(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

/// `Absent` if there is nothing to move.
pub(super) fn look(from: &Path, to: &Path) -> Result<Before> {
    if !exists(from) {
        return Ok(Before::Absent);
    }
    if exists(to) {
        let cause = format!(
            "{} is there already, and {} would take its place; move it away",
            to.display(),
            from.display()
        );
        return Err(SetupError::invalid("move a path", cause));
    }
    Ok(missing_above(to).map_or(Before::Present, Before::Under))
}

/// The topmost directory above a path that is not there.
fn missing_above(path: &Path) -> Option<PathBuf> {
    path.ancestors().skip(1).take_while(|above| !exists(above)).last().map(Path::to_owned)
}

fn was_there(before: &Before) -> bool {
    matches!(before, Before::Present | Before::Under(_))
}

/// Takes away the directories that were made for a new place. What somebody put
/// into them meanwhile keeps them.
fn remove_above(bench: &Bench<'_>, to: &Path, before: &Before) -> Result<()> {
    let Before::Under(topmost) = before else { return Ok(()) };
    for above in to.ancestors().skip(1).take_while(|above| above.starts_with(topmost)) {
        directory::remove_if_empty(bench, above)?;
    }
    Ok(())
}

pub(super) fn perform(bench: &Bench<'_>, from: &Path, to: &Path) -> Result<()> {
    if !exists(from) {
        return Ok(());
    }
    if let Some(above) = to.parent() {
        bench.host.make_directories(above, 0o700)?;
    }
    if exists(to) {
        // It is whole there: across file systems, removing the original was cut off.
        return bench.host.remove_tree(from);
    }
    bench.host.move_path(from, to)
}

/// Whatever has the name at the other end is whole, so it goes back.
pub(super) fn undo(bench: &Bench<'_>, from: &Path, to: &Path, before: &Before) -> Result<()> {
    if !was_there(before) {
        return Ok(());
    }
    if to.parent().is_some_and(Path::exists) {
        bench.host.remove_draft(to)?;
    }
    if exists(to) {
        bench.host.remove_tree(from)?;
        if let Some(above) = from.parent() {
            bench.host.make_directories(above, 0o700)?;
        }
        bench.host.move_path(to, from)?;
    }
    remove_above(bench, to, before)
}

pub(super) fn perform_copy(bench: &Bench<'_>, from: &Path, to: &Path) -> Result<()> {
    if let Some(above) = to.parent() {
        bench.host.make_directories(above, 0o700)?;
    }
    bench.host.remove_tree(to)?;
    bench.host.copy_path(from, to)
}

pub(super) fn undo_copy(bench: &Bench<'_>, to: &Path, before: &Before) -> Result<()> {
    if !was_there(before) {
        return Ok(());
    }
    bench.host.remove_tree(to)?;
    remove_above(bench, to, before)
}
