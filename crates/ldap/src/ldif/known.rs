//! Which entries are there, by the keys of their names ([`crate::dn::key`]).

use crate::dn::{above, is_within};
use std::collections::{HashMap, HashSet};

/// The entries that are there, and how many stand directly below each.
#[derive(Debug, Default)]
pub(super) struct Known {
    keys: HashSet<String>,
    below: HashMap<String, usize>,
}

impl Known {
    pub fn contains(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    pub fn has_below(&self, key: &str) -> bool {
        self.below.contains_key(key)
    }

    pub fn insert(&mut self, key: String) {
        let place = above(&key).to_owned();
        if self.keys.insert(key) {
            *self.below.entry(place).or_default() += 1;
        }
    }

    pub fn remove(&mut self, key: &str) {
        if !self.keys.remove(key) {
            return;
        }
        let place = above(key);
        if let Some(count) = self.below.get_mut(place) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.below.remove(place);
            }
        }
    }

    /// Gives an entry another name; what is below it comes along.
    pub fn rename(&mut self, old: &str, new: &str) {
        let moved: Vec<String> = if self.has_below(old) {
            self.keys.iter().filter(|key| is_within(key, old)).cloned().collect()
        } else {
            vec![old.to_owned()]
        };
        for key in moved {
            self.remove(&key);
            let name = key.strip_suffix(old).unwrap_or_default();
            self.insert(format!("{name}{new}"));
        }
    }
}

impl FromIterator<String> for Known {
    fn from_iter<I: IntoIterator<Item = String>>(keys: I) -> Self {
        let mut known = Self::default();
        keys.into_iter().for_each(|key| known.insert(key));
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_comes_along_and_counts() {
        let keys = ["o=a\0", "cn=b\0o=a\0", "cn=c\0cn=b\0o=a\0", "cn=acn=b\0o=a\0"];
        let mut known: Known = keys.into_iter().map(str::to_owned).collect();
        known.rename("cn=b\0o=a\0", "cn=x\0o=a\0");
        assert!(known.contains("cn=c\0cn=x\0o=a\0") && known.contains("cn=acn=b\0o=a\0"));
        assert!(known.has_below("cn=x\0o=a\0") && !known.has_below("cn=b\0o=a\0"));
        known.remove("cn=c\0cn=x\0o=a\0");
        assert!(!known.has_below("cn=x\0o=a\0") && known.has_below("o=a\0"));
    }
}
