//! Shapes of changed generator rules and of giving addresses.

use super::{ErrorBody, StampFailed};
use serde::{Deserialize, Serialize};

/// A rule that a generator may get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRule {
    /// How an address is made out of names.
    pub rule: String,
}

/// How `POST /v1/generators/stamp` answers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StampQuery {
    /// In lines of [`StampNews`], not in one piece at the end.
    pub progress: bool,
}

/// What another rule does to the addresses of everybody.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Restamped {
    /// Recipients with another generated address; the one before stays beside it.
    pub moved: u64,
    /// Recipients that had no address of the type.
    pub added: u64,
    /// Recipients whose address the rule makes, too.
    pub kept: u64,
    /// Recipients whose address no generator made; it stays.
    pub by_hand: u64,
    /// Recipients that the rule makes nothing for; they stay as they are.
    pub failed: u64,
    /// The first 20 of those that are moved or added.
    pub changes: Vec<AddressChange>,
    /// The first 1,000 of those that failed.
    pub failures: Vec<StampFailed>,
}

/// A recipient whose generated address is another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressChange {
    /// Its name.
    pub recipient: String,
    /// The address before, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// The address now.
    pub new: String,
}

/// News of giving addresses. One line of JSON each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum StampNews<T> {
    /// How far it is.
    Step {
        /// Recipients done.
        done: u64,
        /// Of how many.
        total: u64,
    },
    /// It is finished; the last line.
    Done(T),
    /// It could not be finished; the last line.
    Failed(ErrorBody),
}
