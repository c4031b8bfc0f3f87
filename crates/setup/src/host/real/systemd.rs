//! systemd, by systemctl(1).

use super::{UnitState, UnitVerb, command};
use crate::error::Result;
use std::path::Path;
use std::process::Command;

/// sd_booted(3)
pub(super) fn runs() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

fn says(question: &str, name: &str) -> bool {
    let asked = Command::new("systemctl").args(["--quiet", question, name]).output();
    asked.is_ok_and(|done| done.status.success())
}

pub(super) fn state(name: &str) -> UnitState {
    UnitState { enabled: says("is-enabled", name), active: is_active(name) }
}

/// A unit that is about to run counts: what is undone in its own ExecStartPre
/// must not wait for its start, which waits for that.
fn is_active(name: &str) -> bool {
    let words = ["show", "--property", "ActiveState", "--value", name];
    let told = Command::new("systemctl").args(words).output();
    told.is_ok_and(|done| {
        let state = String::from_utf8_lossy(&done.stdout);
        matches!(state.trim(), "active" | "activating" | "reloading")
    })
}

pub(super) fn act(verb: UnitVerb, name: &str) -> Result<()> {
    let mut systemctl = Command::new("systemctl");
    match verb {
        UnitVerb::Reload => systemctl.arg("daemon-reload"),
        UnitVerb::Enable => systemctl.args(["enable", name]),
        UnitVerb::Disable => systemctl.args(["disable", name]),
        UnitVerb::Start => systemctl.args(["start", name]),
        UnitVerb::Stop => systemctl.args(["stop", name]),
    };
    command("tell systemd", &mut systemctl).map(|_| ())
}
