//! Migrating the index, and putting the old one back.
//!
//! The message log is not touched: what was taken in meanwhile is in it, and
//! is replayed into whichever index stands there.
//!
//! Both keep the index as it was, under a name that outlives the run, for going
//! back later. It is copied into the scratch directory first and gets that name
//! only when the step is done: what is copied before the journal knows of the
//! step must be nobody's, and a copy that an earlier run left under the name is
//! to be had again when this one is undone.

use super::{Before, Bench};
use crate::error::Result;
use std::path::{Path, PathBuf};

/// What an earlier run left under the name, beside our copy.
fn earlier(copy: &Path) -> PathBuf {
    copy.with_extension("earlier")
}

pub(super) fn look(bench: &Bench<'_>) -> Result<Before> {
    if bench.host.system.directory()?.is_none() {
        return Ok(Before::Absent);
    }
    let name = bench.save_as();
    let copy = bench.scratch.join(&name);
    bench.host.remove_tree(&copy)?;
    let on = copy.display().to_string();
    bench.host.act("copy the index to", &on, |system| system.snapshot_index(&copy))?;
    Ok(Before::Saved(name))
}

/// Gives the copy its name. As long as it is in the scratch directory, what has
/// the name is an earlier one.
fn keep(bench: &Bench<'_>, saved: &Path) -> Result<()> {
    let copy = bench.scratch.join(bench.save_as());
    if !copy.exists() {
        return Ok(());
    }
    if saved.exists() {
        bench.host.move_path(saved, &earlier(&copy))?;
    }
    bench.host.move_path(&copy, saved)
}

/// Lets a program bring the index to its schema.
pub(super) fn migrate(
    bench: &Bench<'_>,
    program: &Path,
    arguments: &[String],
    saved: &Path,
) -> Result<()> {
    keep(bench, saved)?;
    let on = program.display().to_string();
    bench.host.act("migrate the index by", &on, |s| s.run(program, arguments)).map(|_| ())
}

/// Puts a copy in the place of the index.
pub(super) fn exchange(bench: &Bench<'_>, from: &Path, saved: &Path) -> Result<()> {
    keep(bench, saved)?;
    put_back(bench, from)
}

fn put_back(bench: &Bench<'_>, from: &Path) -> Result<()> {
    let on = from.display().to_string();
    bench.host.act("put the index back from", &on, |system| system.put_index_back(from))
}

/// The copy goes with the undoing: nobody will go back to it.
pub(super) fn undo(bench: &Bench<'_>, saved: &Path, before: &Before) -> Result<()> {
    let Before::Saved(name) = before else { return Ok(()) };
    let copy = bench.scratch.join(name);
    if !copy.exists() && saved.exists() {
        bench.host.move_path(saved, &copy)?;
    }
    if copy.exists() {
        put_back(bench, &copy)?;
    }
    let earlier = earlier(&copy);
    if earlier.exists() { bench.host.move_path(&earlier, saved) } else { Ok(()) }
}
