//! The checks, one subject a file.

mod certificate;
mod declared;
mod directory;
mod keys;
mod machine;
mod registry;
mod services;
mod settings;
mod store;
mod strays;
mod versions;

pub(crate) use services::free;

use super::{Case, Finding};
use crate::error::Result;

/// A check.
type Check = fn(&Case<'_>) -> Result<Vec<Finding>>;

/// All of them.
pub(super) const CHECKS: &[Check] = &[
    registry::check,
    declared::check,
    services::check,
    strays::check,
    versions::check,
    directory::check,
    store::check,
    certificate::check,
    machine::check,
    settings::check,
    keys::check,
];
