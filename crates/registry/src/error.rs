//! How the registry fails.

use crate::check::Mistake;
use concord_base::{Fault, Retry};
use std::path::PathBuf;

/// The registry could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// The file is there but not a sound database.
    #[error(
        "the registry {path} is damaged: {cause}; run 'concord registry restore' (a copy of the \
         newest state stands beside it)"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        cause: String,
    },
    /// It was written by a newer release.
    #[error(
        "the registry has form {found}, this release knows {known}; run the release that wrote it"
    )]
    Newer {
        /// Its form.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// The system refused a read or a write.
    #[error("cannot {act} {path}: {cause}; see whether the disk is full and who owns the file")]
    Io {
        /// What was tried, an infinitive.
        act: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        cause: String,
    },
    /// The content breaks rules; nothing was stored.
    #[error("cannot store this registry, it breaks {} rules:\n  {}", .0.len(), list(.0))]
    Mistakes(Vec<Mistake>),
    /// A text is not an exported registry.
    #[error("cannot read this as a registry: {0}; export one with 'concord registry export'")]
    Unreadable(String),
    /// No such revision.
    #[error("there is no revision {0}; 'concord registry show --history' lists them")]
    NoRevision(i64),
}

fn list(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  ")
}

impl Fault for RegistryError {
    fn code(&self) -> &'static str {
        match self {
            Self::Damaged { .. } => "registry.damaged",
            Self::Newer { .. } => "registry.newer",
            Self::Io { .. } => "registry.io",
            Self::Mistakes(_) => "registry.mistakes",
            Self::Unreadable(_) => "registry.unreadable",
            Self::NoRevision(_) => "registry.no-revision",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::NoRevision(_) | Self::Unreadable(_) | Self::Mistakes(_) => Retry::Permanent,
            _ => Retry::Operator,
        }
    }
}
