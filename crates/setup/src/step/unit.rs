//! Bringing a unit of systemd into a state, and back into the one it had.

use super::{Before, Bench};
use crate::error::Result;
use crate::host::{UnitState, UnitVerb};

pub(super) fn look(bench: &Bench<'_>, name: &str) -> Result<Before> {
    if !bench.host.system.has_systemd() {
        return Ok(Before::Nothing);
    }
    Ok(Before::Unit(bench.host.system.unit(name)?))
}

pub(super) fn perform(
    bench: &Bench<'_>,
    name: &str,
    enabled: bool,
    active: Option<bool>,
) -> Result<()> {
    // A machine that is being made (a container, an image) has no systemd to ask.
    if !bench.host.system.has_systemd() {
        return Ok(());
    }
    let act = |verb| bench.host.act("tell systemd of", name, |s| s.act_on_unit(verb, name));
    act(UnitVerb::Reload)?;
    let now = bench.host.system.unit(name)?;
    if active == Some(false) && now.active {
        act(UnitVerb::Stop)?;
    }
    if now.enabled != enabled {
        act(if enabled { UnitVerb::Enable } else { UnitVerb::Disable })?;
    }
    if active == Some(true) && !now.active {
        act(UnitVerb::Start)?;
    }
    Ok(())
}

pub(super) fn undo(bench: &Bench<'_>, name: &str, before: &Before) -> Result<()> {
    match before {
        Before::Unit(UnitState { enabled, active }) => {
            perform(bench, name, *enabled, Some(*active))
        }
        _ => Ok(()),
    }
}
