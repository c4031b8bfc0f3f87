//! What is wrong with the file.

use concord_base::{Fault, Retry};
use std::path::PathBuf;

/// The policy cannot be used; the one in force stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The file cannot be read.
    #[error("cannot read {}: {cause}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The system's words.
        cause: String,
    },
    /// It is larger than [`crate::MAX_FILE`].
    #[error("the policy is larger than 1 MiB; that is no file that somebody wrote")]
    TooLarge,
    /// A value does not fit; with its place.
    #[error("{0}")]
    Syntax(String),
    /// Values that do not go together; each says where and what to do.
    #[error("{}", .0.join("\n"))]
    Contradictions(Vec<String>),
}

impl Fault for PolicyError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "mail-policy.unreadable",
            Self::TooLarge => "mail-policy.too-large",
            Self::Syntax(_) => "mail-policy.syntax",
            Self::Contradictions(_) => "mail-policy.contradictions",
        }
    }

    fn retry(&self) -> Retry {
        Retry::Operator
    }
}
