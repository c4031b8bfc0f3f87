//! Making a user, and removing the one that was made.

use super::{Before, Bench};
use crate::error::Result;
use std::path::Path;

pub(super) fn look(bench: &Bench<'_>, name: &str) -> Result<Before> {
    Ok(bench.host.system.user(name)?.map_or(Before::Absent, |_| Before::Present))
}

pub(super) fn perform(bench: &Bench<'_>, name: &str, home: &Path) -> Result<()> {
    bench.host.act("make user", name, |system| system.make_user(name, home))
}

pub(super) fn undo(bench: &Bench<'_>, name: &str, before: &Before) -> Result<()> {
    match before {
        Before::Absent => bench.host.act("remove user", name, |system| system.remove_user(name)),
        _ => Ok(()),
    }
}
