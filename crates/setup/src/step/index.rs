//! Migrating the index, and putting the old one back.
//!
//! The message log is not touched: what was taken in meanwhile is in it, and
//! is replayed into whichever index stands there.

use super::{Before, Bench};
use crate::error::Result;
use std::path::{Path, PathBuf};

pub(super) fn look(bench: &Bench<'_>) -> Result<Before> {
    if bench.host.system.directory()?.is_none() {
        return Ok(Before::Absent);
    }
    let name = bench.save_as();
    let to = bench.scratch.join(&name);
    bench.host.remove_tree(&to)?;
    bench.host.act("copy the index to", &to.display().to_string(), |s| s.snapshot_index(&to))?;
    Ok(Before::Saved(name))
}

pub(super) fn perform(bench: &Bench<'_>, program: &Path, arguments: &[String]) -> Result<()> {
    let on = program.display().to_string();
    bench.host.act("migrate the index by", &on, |s| s.run(program, arguments)).map(|_| ())
}

pub(super) fn undo(bench: &Bench<'_>, before: &Before) -> Result<()> {
    match before {
        Before::Saved(name) => {
            let from: PathBuf = bench.scratch.join(name);
            let on = from.display().to_string();
            bench.host.act("put the index back from", &on, |s| s.put_index_back(&from))
        }
        _ => Ok(()),
    }
}
