//! Files in hand, so that one that kills the process is known.
//!
//! A partner sends a file again whose reader died, and it would die of it for ever
//! (Q221565, Q187865). So the keys of files in hand stand in a small file of the
//! run directory, which outlives the process. It need not outlive the machine: what
//! is forgotten is only how often a file was tried.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// Attempts that ended with nobody left to tell of them.
pub(crate) const MAX_ATTEMPTS: u32 = 3;
/// Keys remembered; more cannot be in hand at once.
const MAX_KEYS: usize = 256;

/// Keys of files in hand, with how often the process died with each before.
#[derive(Debug)]
pub(crate) struct InHand {
    path: PathBuf,
    keys: Mutex<BTreeMap<String, Entry>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    deaths: u32,
    in_hand: bool,
}

impl InHand {
    /// Reads what an earlier process left behind in `path`.
    pub fn read(path: PathBuf) -> Self {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let entry = |line: &str| {
            let (deaths, key) = line.split_once(' ')?;
            let deaths = deaths.parse::<u32>().ok()?.saturating_add(1);
            Some((key.to_owned(), Entry { deaths, in_hand: false }))
        };
        let keys = text.lines().filter_map(entry).take(MAX_KEYS).collect();
        Self { path, keys: Mutex::new(keys) }
    }

    /// How often the process died with a file in hand.
    pub fn deaths(&self, key: &str) -> u32 {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.get(key).map_or(0, |entry| entry.deaths)
    }

    /// Work on a file begins. False if it is in hand already.
    pub fn begin(&self, key: &str) -> bool {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= MAX_KEYS {
            keys.retain(|_, entry| entry.in_hand);
        }
        let entry = keys.entry(key.to_owned()).or_default();
        if std::mem::replace(&mut entry.in_hand, true) {
            return false;
        }
        self.write(&keys);
        true
    }

    /// Work on a file ended, whatever came of it.
    pub fn end(&self, key: &str) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.remove(key);
        self.write(&keys);
    }

    fn write(&self, keys: &BTreeMap<String, Entry>) {
        let line = |(key, entry): (&String, &Entry)| format!("{} {key}\n", entry.deaths);
        // Those that wait for their next attempt stay as they were.
        let text: String = keys
            .iter()
            .map(|(key, entry)| match entry.in_hand {
                true => line((key, entry)),
                false => line((key, &Entry { deaths: entry.deaths.saturating_sub(1), ..*entry })),
            })
            .collect();
        if let Err(error) = std::fs::write(&self.path, text) {
            tracing::debug!(%error, "cannot write down which files are in hand");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_in_hand_when_the_process_died_is_known() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("in-hand");
        for deaths in 0..4 {
            let in_hand = InHand::read(path.clone());
            assert_eq!(in_hand.deaths("other"), 0);
            assert!(in_hand.begin("other") && !in_hand.begin("other"));
            in_hand.end("other");
            assert_eq!(in_hand.deaths("A.1/0"), deaths);
            assert!(in_hand.begin("A.1/0"));
        }
        let in_hand = InHand::read(path.clone());
        assert!(in_hand.begin("A.1/0"));
        in_hand.end("A.1/0");
        assert_eq!(InHand::read(path).deaths("A.1/0"), 0, "it ended in order");
    }
}
