//! How much somebody may do in a time.

use crate::value::Period;
use serde::Deserialize;

/// A row `[[limit]]`: at most so many events of each subject within the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limit {
    /// Of whom each has a count of his own.
    pub per: Subject,
    /// What is counted.
    pub of: Event,
    /// The most.
    pub most: u32,
    /// Within this time.
    pub within: Period,
}

/// Whose doings are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A client's address.
    Host,
    /// A client's network: /24, or /64 with IPv6.
    Network,
    /// A user who has logged in.
    User,
    /// The domain of the reverse-path.
    Domain,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// Connections that were accepted.
    Connections,
    /// Messages that began (MAIL).
    Messages,
    /// Recipients that were asked for.
    Recipients,
    /// Failed logins.
    FailedLogins,
}
