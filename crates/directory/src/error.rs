//! How directory acts fail.

use concord_base::{EnhancedStatus, Fault, Retry, StorageError};

/// A directory act could not be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// No such object.
    #[error("there is no {kind} '{name}'")]
    NotFound {
        /// The kind looked for, or `object`.
        kind: &'static str,
        /// What was asked for.
        name: String,
    },
    /// The name is taken.
    #[error("there is a {kind} '{name}' already")]
    NameTaken {
        /// The kind.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// The address belongs to another object.
    #[error("the address {address} belongs to {kind} '{holder}' already")]
    AddressTaken {
        /// The address.
        address: String,
        /// The holder's kind.
        kind: &'static str,
        /// The holder's name.
        holder: String,
    },
    /// The object breaks a rule.
    #[error("'{name}' cannot be stored: {cause}")]
    Invalid {
        /// The object's name.
        name: String,
        /// The rule it breaks.
        cause: String,
    },
    /// The object is still referred to.
    #[error("{kind} '{name}' cannot be removed: {cause}")]
    InUse {
        /// The kind.
        kind: &'static str,
        /// The name.
        name: String,
        /// What refers to it.
        cause: String,
    },
    /// The storage could not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Fault for DirectoryError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "directory.not-found",
            Self::NameTaken { .. } => "directory.name-taken",
            Self::AddressTaken { .. } => "directory.address-taken",
            Self::Invalid { .. } => "directory.invalid",
            Self::InUse { .. } => "directory.in-use",
            Self::Storage(e) => e.code(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Storage(e) => e.retry(),
            _ => Retry::Permanent,
        }
    }

    fn enhanced_status(&self) -> EnhancedStatus {
        match self {
            Self::Storage(e) => e.enhanced_status(),
            Self::NotFound { .. } => EnhancedStatus::new(5, 1, 1),
            _ => EnhancedStatus::new(5, 0, 0),
        }
    }
}
