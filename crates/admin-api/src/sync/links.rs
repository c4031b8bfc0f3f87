//! Which foreign entry an exported recipient is.
//!
//! Kept in the connector's state in pages of neighbouring ids, so that a run
//! writes only the pages in which something changed: 10,000 links are twenty
//! pages, and a run that changes nothing writes none.

use super::error::SyncError;
use crate::api::Shared;
use concord_base::{ObjectId, StorageError};
use concord_dirsync::ForeignKey;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Ids of one page; with keys of the greatest length a page has 300 KiB.
const PAGE: u64 = 512;
/// Recipients that the next run looks at besides those that changed; with more,
/// it looks at all.
const MAX_AGAIN: usize = 1_000;

/// What an export leaves for the next one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ExportState {
    /// Changes of this directory up to here are exported; 0 is none.
    pub cursor: u64,
    /// See [`super::settings::Compiled::fingerprint`].
    pub fingerprint: u32,
    /// Recipients whose changes failed or were withheld.
    pub again: BTreeSet<ObjectId>,
    /// Whether the next run has to look at everything.
    pub full: bool,
    /// Pages of links that there are.
    pages: BTreeSet<u64>,
}

impl ExportState {
    /// Has the next run look at a recipient again.
    pub fn again(&mut self, id: ObjectId) {
        if self.again.len() < MAX_AGAIN {
            self.again.insert(id);
        } else {
            self.full = true;
        }
    }
}

/// The links of one connector, and the rest of what its exports keep.
pub(super) struct LinkBook {
    connector: String,
    pub state: ExportState,
    stored: ExportState,
    pub links: BTreeMap<ObjectId, ForeignKey>,
    dirty: BTreeSet<u64>,
}

const STATE: &str = "core.export";

fn page_key(page: u64) -> String {
    format!("core.links.{page}")
}

impl LinkBook {
    pub async fn read(shared: &Shared, connector: &str) -> Result<Self, SyncError> {
        let directory = &shared.api.directory;
        let octets = directory.connector_state(connector, STATE).await?;
        let state: ExportState =
            octets.and_then(|octets| serde_json::from_slice(&octets).ok()).unwrap_or_default();
        let mut links = BTreeMap::new();
        for page in &state.pages {
            let octets = directory.connector_state(connector, &page_key(*page)).await?;
            let page: Option<Vec<(ObjectId, ForeignKey)>> =
                octets.and_then(|octets| serde_json::from_slice(&octets).ok());
            links.extend(page.into_iter().flatten());
        }
        let (connector, stored, dirty) = (connector.to_owned(), state.clone(), BTreeSet::new());
        Ok(Self { connector, state, stored, links, dirty })
    }

    pub fn set(&mut self, id: ObjectId, key: ForeignKey) {
        if self.links.get(&id) != Some(&key) {
            self.links.insert(id, key);
            self.dirty.insert(id.0 / PAGE);
        }
    }

    pub fn remove(&mut self, id: ObjectId) {
        if self.links.remove(&id).is_some() {
            self.dirty.insert(id.0 / PAGE);
        }
    }

    /// Writes what changed. The list of pages goes first: a page that is named
    /// and not there is empty, one that is not named would be lost.
    pub async fn save(&mut self, shared: &Shared) -> Result<(), SyncError> {
        let dirty = std::mem::take(&mut self.dirty);
        let mut written = Vec::new();
        for page in dirty {
            let range = ObjectId(page * PAGE)..ObjectId((page + 1) * PAGE);
            let links: Vec<(&ObjectId, &ForeignKey)> = self.links.range(range).collect();
            if links.is_empty() {
                self.state.pages.remove(&page);
                written.push((page, None));
            } else {
                self.state.pages.insert(page);
                written.push((page, Some(json(&links)?)));
            }
        }
        let directory = &shared.api.directory;
        if self.state != self.stored {
            let octets = json(&self.state)?;
            directory.set_connector_state(&self.connector, STATE, Some(octets)).await?;
            self.stored = self.state.clone();
        }
        for (page, octets) in written {
            directory.set_connector_state(&self.connector, &page_key(page), octets).await?;
        }
        Ok(())
    }
}

pub(super) fn json(value: &impl Serialize) -> Result<Vec<u8>, StorageError> {
    serde_json::to_vec(value).map_err(|e| StorageError::Bug(format!("JSON cannot be written: {e}")))
}
