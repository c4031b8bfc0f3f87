//! The verbs: each makes a plan; the engine carries it out.

pub mod component;
pub mod config;
pub mod connector;
pub mod install;
pub mod mail;
pub mod registry;
pub mod remove_all;
pub mod repair;
pub mod rollback;
pub mod update;

use concord_registry::Schemas;

/// The version of the program that runs Setup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseFacts {
    /// Its version.
    pub version: String,
    /// The platform that it was built for.
    pub platform: String,
    /// What it writes.
    pub schemas: Schemas,
    /// When it was built; a clock that shows less is wrong.
    pub built: concord_base::Timestamp,
}
