//! Which files were in hand, so that a restart knows.
//!
//! Before files are worked on, their names and ids are written down in the core
//! (one value, durable when it returns), each with how often that was done.
//! Files that were in hand when the connector died are tried alone from then on,
//! so that a third death is evidence. What is written down and still lies there
//! may have been taken by the core: it comes again, and is counted.

use crate::gateway::Listed;
use concord_connector::{ApiError, CoreApi};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name of the state.
const KEY: &str = "inbound";
/// Attempts that ended with nobody left to tell of them.
pub(super) const MAX_ATTEMPTS: u32 = 3;
/// Files written down; more cannot be in hand or stuck at once, and the state is
/// small (64 KiB or so).
const MAX_FILES: usize = 500;

/// What is written down of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Entry {
    /// When it was written and its size: another file may get its name.
    pub stamp: String,
    /// Attempts without an end.
    #[serde(default)]
    pub attempts: u32,
    /// The core has it, but it could not be removed.
    #[serde(default)]
    pub done: bool,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    #[serde(default)]
    files: BTreeMap<String, Entry>,
}

/// The ledger of one connector.
#[derive(Debug)]
pub(super) struct Ledger {
    api: CoreApi,
    files: BTreeMap<String, Entry>,
    /// Whether the core has what is here.
    written: bool,
}

/// What tells two files of one name apart.
fn stamp(file: &Listed) -> String {
    let since = file.modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}", since.as_millis(), file.size)
}

impl Ledger {
    /// What the core has.
    pub(super) async fn read(api: CoreApi) -> Result<Self, ApiError> {
        let kept: Option<Kept> = api.state(KEY).await?;
        Ok(Self { api, files: kept.unwrap_or_default().files, written: true })
    }

    /// Forgets files that are gone. Which were in hand and are still there.
    pub(super) fn compare(&mut self, there: &[Listed]) -> Vec<String> {
        let before = self.files.len();
        self.files.retain(|name, entry| {
            there.iter().any(|file| file.name == *name && stamp(file) == entry.stamp)
        });
        self.written &= before == self.files.len();
        let in_hand = self.files.iter().filter(|(_, entry)| entry.attempts > 0 && !entry.done);
        in_hand.map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn entry(&self, file: &Listed) -> Entry {
        let known = self.files.get(&file.name).filter(|entry| entry.stamp == stamp(file));
        known.cloned().unwrap_or_default()
    }

    /// Writes down that work on these begins.
    pub(super) async fn begin(&mut self, files: &[&Listed]) -> Result<(), ApiError> {
        for file in files {
            let entry = self.entry(file);
            let attempts = entry.attempts.saturating_add(1);
            let entry = Entry { stamp: stamp(file), attempts, done: false };
            self.files.insert(file.name.clone(), entry);
        }
        while self.files.len() > MAX_FILES {
            let oldest = self.files.keys().find(|name| files.iter().all(|f| f.name != **name));
            let Some(oldest) = oldest.cloned() else { break };
            self.files.remove(&oldest);
        }
        self.written = false;
        self.flush().await
    }

    /// Work on a file ended in order, whatever came of it.
    pub(super) fn ended(&mut self, file: &Listed) {
        self.written &= self.files.remove(&file.name).is_none();
    }

    /// The core has it, but the file stays.
    pub(super) fn stays(&mut self, file: &Listed) {
        let entry = Entry { stamp: stamp(file), attempts: 0, done: true };
        self.files.insert(file.name.clone(), entry);
        self.written = false;
    }

    /// Tells the core, if it does not know.
    pub(super) async fn flush(&mut self) -> Result<(), ApiError> {
        if !self.written {
            self.api.set_state(KEY, &Kept { files: self.files.clone() }).await?;
            self.written = true;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn file(name: &str, second: u64) -> Listed {
        Listed {
            name: name.into(),
            raw: name.into(),
            modified: UNIX_EPOCH + Duration::from_secs(second),
            size: 10,
        }
    }

    fn ledger(names: &[(&Listed, u32)]) -> Ledger {
        let entry = |(file, attempts): &(&Listed, u32)| {
            let entry = Entry { stamp: stamp(file), attempts: *attempts, done: false };
            (file.name.clone(), entry)
        };
        // Nothing here asks the core.
        let api = CoreApi::new("/nowhere".into(), "gw1", "token");
        Ledger { api, files: names.iter().map(entry).collect(), written: true }
    }

    #[test]
    fn a_file_that_was_in_hand_is_known_and_another_of_its_name_is_not() {
        let (old, gone, fresh) = (file("a.api", 1), file("b.api", 1), file("c.api", 1));
        let mut ledger = ledger(&[(&old, 2), (&gone, 1)]);
        assert_eq!(ledger.compare(&[old.clone(), fresh.clone()]), ["a.api"]);
        assert_eq!((ledger.entry(&old).attempts, ledger.entry(&fresh).attempts), (2, 0));
        assert_eq!(ledger.entry(&file("a.api", 2)).attempts, 0, "the name was given again");
        ledger.ended(&old);
        assert!(ledger.compare(&[old]).is_empty());
    }

    #[tokio::test]
    async fn nothing_begins_that_the_core_has_not_written_down() {
        let one = file("a.api", 1);
        let mut ledger = ledger(&[]);
        assert!(ledger.begin(&[&one]).await.is_err());
        assert!(!ledger.written);
    }
}
