//! How Setup fails.

use crate::backup::BackupError;
use concord_base::{Fault, Retry};
use concord_registry::RegistryError;
use concord_settings::SettingsError;
use std::path::{Path, PathBuf};

/// A run of Setup could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Another run is under way.
    #[error("cannot do '{verb}': {holder} holds the lock {path}; wait until it is done")]
    Locked {
        /// What was asked for.
        verb: String,
        /// Who has it: verb, process id and since when.
        holder: String,
        /// The lock file.
        path: PathBuf,
    },
    /// The operating system refused something.
    #[error("cannot {act} {path}: {cause}{}", advice(.cause))]
    Io {
        /// What was tried, an infinitive.
        act: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
    /// A program that Setup needs said no.
    #[error("cannot {act}: '{command}' {how}")]
    Command {
        /// What was tried.
        act: String,
        /// The command line.
        command: String,
        /// How it ended and what it said.
        how: String,
    },
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The settings file.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A backup.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// There is no server at this root.
    #[error("there is no Concord server at {0}; run 'concord setup install', or give --root")]
    NotInstalled(PathBuf),
    /// There is one already.
    #[error(
        "a Concord server is installed at {0} already; 'concord setup repair' puts it right, \
         'concord setup add' adds a component"
    )]
    AlreadyInstalled(PathBuf),
    /// The machine is not fit; nothing was written.
    #[error("cannot do '{verb}': {} checks refuse it, nothing was changed:\n  {}", .refusals.len(), .refusals.join("\n  "))]
    Refused {
        /// What was asked for.
        verb: String,
        /// Each refusal: code, what was seen, what to do.
        refusals: Vec<String>,
    },
    /// What was asked for makes no sense here.
    #[error("cannot do '{verb}': {cause}")]
    Invalid {
        /// What was asked for.
        verb: String,
        /// Why not, and what to do.
        cause: String,
    },
    /// A step failed; everything was undone.
    #[error("cannot do '{verb}': {cause}; everything is as it was before")]
    Undone {
        /// What was asked for.
        verb: String,
        /// What failed.
        cause: Box<SetupError>,
    },
    /// A step failed and so did undoing.
    #[error(
        "cannot do '{verb}': {cause}; undoing it failed too: {then}; mend the cause, then run any \
         command of setup (for example 'concord doctor'): it goes on undoing"
    )]
    HalfUndone {
        /// What was asked for.
        verb: String,
        /// What failed first.
        cause: Box<SetupError>,
        /// What failed then.
        then: Box<SetupError>,
    },
    /// It is done, but tidying up failed.
    #[error(
        "'{verb}' is done, but tidying up behind it failed: {cause}; the next command of setup \
         tries again"
    )]
    NotTidied {
        /// What was asked for.
        verb: String,
        /// What failed.
        cause: Box<SetupError>,
    },
    /// The journal cannot be understood.
    #[error("cannot read the journal {path}: {cause}; run the release that wrote it")]
    Journal {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        cause: String,
    },
    /// The core or the controller refused.
    #[error("cannot {act}: {cause}")]
    Service {
        /// What was asked for.
        act: String,
        /// Its words.
        cause: String,
    },
    /// The process was killed here, in a test of cut points.
    #[error("killed at {0}")]
    Killed(String),
}

/// What helps where the system refuses; most of its words speak for themselves.
fn advice(cause: &std::io::Error) -> &'static str {
    match cause.kind() {
        std::io::ErrorKind::PermissionDenied => "; run as root, or as whoever installed it",
        std::io::ErrorKind::StorageFull => "; free some space",
        _ => "",
    }
}

impl SetupError {
    /// For `map_err` on calls of the system.
    pub fn io<'a>(act: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> Self + 'a {
        move |cause| Self::Io { act, path: path.to_owned(), cause }
    }

    /// What was asked for makes no sense here.
    pub fn invalid(verb: impl Into<String>, cause: impl std::fmt::Display) -> Self {
        Self::Invalid { verb: verb.into(), cause: cause.to_string() }
    }

    /// The process is dead; nothing more may happen.
    pub fn is_killed(&self) -> bool {
        match self {
            Self::Killed(_) => true,
            Self::Undone { cause, .. } | Self::NotTidied { cause, .. } => cause.is_killed(),
            Self::HalfUndone { cause, then, .. } => cause.is_killed() || then.is_killed(),
            _ => false,
        }
    }
}

impl Fault for SetupError {
    fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "setup.locked",
            Self::Io { .. } => "setup.io",
            Self::Command { .. } => "setup.command",
            Self::Registry(error) => error.code(),
            Self::Settings(error) => error.code(),
            Self::Backup(error) => error.code(),
            Self::NotInstalled(_) => "setup.not-installed",
            Self::AlreadyInstalled(_) => "setup.already-installed",
            Self::Refused { .. } => "setup.refused",
            Self::Invalid { .. } => "setup.invalid",
            Self::Undone { .. } => "setup.undone",
            Self::HalfUndone { .. } => "setup.half-undone",
            Self::NotTidied { .. } => "setup.not-tidied",
            Self::Journal { .. } => "setup.journal",
            Self::Service { .. } => "setup.service",
            Self::Killed(_) => "setup.killed",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Locked { .. } => Retry::Temporary,
            Self::Registry(error) => error.retry(),
            Self::Settings(error) => error.retry(),
            Self::Backup(error) => error.retry(),
            Self::Invalid { .. } | Self::AlreadyInstalled(_) => Retry::Permanent,
            _ => Retry::Operator,
        }
    }
}

/// What most of this crate returns.
pub type Result<T> = std::result::Result<T, SetupError>;
