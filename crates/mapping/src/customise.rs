//! Local tables over shipped ones.
//!
//! What an administrator wrote stays as it is when an update ships other
//! defaults; the two are shown side by side (Q195697: an update wrote over
//! customised tables).

use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// A table whose lines have tags.
pub trait Table {
    /// Every line by its tag, written so that lines that mean the same are equal.
    fn canonical(&self) -> BTreeMap<String, String>;

    /// The lines of this table, and those of `defaults` whose tags it has not.
    #[must_use]
    fn over(&self, defaults: &Self) -> Self;
}

/// A line that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its tag.
    pub tag: String,
    /// What the local table says, if anything.
    pub local: Option<String>,
    /// What is shipped, if anything.
    pub shipped: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.local, &self.shipped) {
            (Some(local), Some(shipped)) => write!(f, "- {shipped}\n+ {local}"),
            (Some(local), None) => write!(f, "+ {local}"),
            (None, Some(shipped)) => write!(f, "  {shipped}"),
            (None, None) => Ok(()),
        }
    }
}

/// Where a local table differs from the shipped one, in the order of the tags.
/// Lines that only the shipped table has are in force too, and listed for being
/// new.
pub fn differences<T: Table>(local: &T, shipped: &T) -> Vec<Difference> {
    let (local, shipped) = (local.canonical(), shipped.canonical());
    let mut tags: Vec<&String> = local.keys().chain(shipped.keys()).collect();
    tags.sort();
    tags.dedup();
    tags.into_iter()
        .map(|tag| Difference {
            tag: tag.clone(),
            local: local.get(tag).cloned(),
            shipped: shipped.get(tag).cloned(),
        })
        .filter(|difference| difference.local != difference.shipped)
        .collect()
}
