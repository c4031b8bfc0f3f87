//! Words to the controller, and taking them back.

use super::{Bench, When};
use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What the controller is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub enum Control {
    /// Read the service records again.
    Reload,
    /// Stop every service, keep the sockets.
    Pause,
    /// Start them again.
    Resume,
    /// Become this program, with the same sockets.
    Replace {
        /// The program.
        program: PathBuf,
        /// Its arguments.
        arguments: Vec<String>,
    },
    /// End, with every service.
    Stop,
    /// Wait until these services are ready.
    AwaitReady {
        /// Their names.
        services: Vec<String>,
    },
}

impl Control {
    pub(super) fn say(&self) -> String {
        match self {
            Self::Reload => "let the controller read the service records".to_owned(),
            Self::Pause => "stop the services, keep their sockets open".to_owned(),
            Self::Resume => "start the services".to_owned(),
            Self::Replace { program, .. } => {
                format!("let the controller become {}", program.display())
            }
            Self::Stop => "stop everything".to_owned(),
            Self::AwaitReady { services } => format!("wait for {}", services.join(", ")),
        }
    }
}

pub(super) fn perform(bench: &Bench<'_>, control: &Control, when: When) -> Result<()> {
    if when == When::Undoing { Ok(()) } else { tell(bench, control) }
}

/// A pause is ended, an end of a pause begins one again: undoing goes through
/// the same states backwards.
pub(super) fn undo(bench: &Bench<'_>, control: &Control, when: When) -> Result<()> {
    match (when, control) {
        (When::Doing, _) => Ok(()),
        (When::Undoing, control) => tell(bench, control),
        (When::Both, Control::Pause) => tell(bench, &Control::Resume),
        (When::Both, Control::Resume) => tell(bench, &Control::Pause),
        (When::Both, control) => tell(bench, control),
    }
}

fn tell(bench: &Bench<'_>, control: &Control) -> Result<()> {
    bench.host.act("tell the controller to", &control.say(), |system| match control {
        Control::Reload => system.reload(),
        Control::Pause => system.pause(),
        Control::Resume => system.resume(),
        Control::Replace { program, arguments } => system.replace(program, arguments),
        Control::Stop => system.stop(),
        Control::AwaitReady { services } => system.await_ready(services),
    })
}
