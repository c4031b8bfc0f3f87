//! What is wrong with a list of filters.

use concord_base::{Fault, Retry};
use std::path::PathBuf;

/// A mistake in the configuration of filters: where, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("filter {number} ('{filter}'): {mistake}")]
pub struct ConfigError {
    /// The filter's place in the list, from 1.
    pub number: usize,
    /// Its name, or what stands for it.
    pub filter: String,
    /// What is wrong.
    pub mistake: Mistake,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// Too many filters.
    #[error("there are more filters than {0}; remove some")]
    TooMany(usize),
    /// No name, or one with other characters.
    #[error(
        "'name' is empty or has other characters than letters, digits, '-', '_' and '.', or more than 64; choose another"
    )]
    Name,
    /// Two of one name.
    #[error("another filter has this name; choose another")]
    SameName,
    /// It sees no traffic.
    #[error("'for' is empty, so it would do nothing; write \"inbound\", \"submission\" or both")]
    NoTraffic,
    /// A key that must be there is not.
    #[error("'{key}' is missing; {hint}")]
    Missing {
        /// The key.
        key: &'static str,
        /// What to write.
        hint: &'static str,
    },
    /// A key that its kind does not have.
    #[error("'{key}' does not belong to a filter of kind {kind}; remove it")]
    Foreign {
        /// The key.
        key: &'static str,
        /// The kind.
        kind: &'static str,
    },
    /// A value that cannot be used.
    #[error("'{key}' cannot be '{value}': {why}")]
    Value {
        /// The key.
        key: &'static str,
        /// The value.
        value: String,
        /// Why not, and what to write.
        why: String,
    },
    /// A file that cannot be read.
    #[error(
        "cannot read '{path}' of '{key}': {why}; see that it is there and that the service's user may read it"
    )]
    File {
        /// The key.
        key: &'static str,
        /// The path.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
}

impl Fault for ConfigError {
    fn code(&self) -> &'static str {
        match self.mistake {
            Mistake::TooMany(_) => "filter-config.too-many",
            Mistake::Name => "filter-config.name",
            Mistake::SameName => "filter-config.same-name",
            Mistake::NoTraffic => "filter-config.no-traffic",
            Mistake::Missing { .. } => "filter-config.missing",
            Mistake::Foreign { .. } => "filter-config.foreign",
            Mistake::Value { .. } => "filter-config.value",
            Mistake::File { .. } => "filter-config.file",
        }
    }

    fn retry(&self) -> Retry {
        Retry::Operator
    }
}
