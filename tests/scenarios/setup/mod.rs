//! Setup: installing, changing, breaking, removing. Named after what happens;
//! the numbers are those of the acceptance scenarios that the design began with.

mod debian;
mod doctor;
mod founding;
mod generator;
mod host;
mod identity;
mod inside;
mod package;
mod release;
mod remove;
mod systemd;
mod unattended;
mod update;
mod webhook;

use concord_testkit::{Result, Site};

/// Nothing but notes, nothing to do, and said twice it is still so.
#[track_caller]
fn healthy(site: &Site) -> Result<()> {
    let findings = site.findings()?;
    assert!(
        findings.is_empty(),
        "the doctor finds {findings:?}: {}",
        site.run(&["doctor"])?.stdout
    );
    site.ok(&["doctor"])?;
    let plan = site.ok(&["setup", "plan"])?;
    assert!(plan.contains("nothing to do"), "{plan}");
    Ok(())
}
