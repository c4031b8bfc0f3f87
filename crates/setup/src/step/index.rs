//! Migrating the index, and putting the old one back.
//!
//! The message log is not touched: what was taken in meanwhile is in it, and
//! is replayed into whichever index stands there.

use super::{Before, Bench};
use crate::error::Result;
use std::path::Path;

pub(super) fn look(bench: &Bench<'_>, saved: &Path) -> Result<Before> {
    if bench.host.system.directory()?.is_none() {
        return Ok(Before::Absent);
    }
    if let Some(above) = saved.parent() {
        bench.host.make_directories(above, 0o700)?;
    }
    bench.host.remove_tree(saved)?;
    let on = saved.display().to_string();
    bench.host.act("copy the index to", &on, |system| system.snapshot_index(saved))?;
    Ok(Before::Saved(saved.to_owned()))
}

pub(super) fn perform(bench: &Bench<'_>, program: &Path, arguments: &[String]) -> Result<()> {
    let on = program.display().to_string();
    bench.host.act("migrate the index by", &on, |s| s.run(program, arguments)).map(|_| ())
}

pub(super) fn put_back(bench: &Bench<'_>, from: &Path) -> Result<()> {
    let on = from.display().to_string();
    bench.host.act("put the index back from", &on, |system| system.put_index_back(from))
}

/// The copy goes with the undoing: nobody will go back to it.
pub(super) fn undo(bench: &Bench<'_>, before: &Before) -> Result<()> {
    let Before::Saved(from) = before else { return Ok(()) };
    if !from.exists() {
        return Ok(());
    }
    put_back(bench, from)?;
    bench.host.remove_file(from)
}
