//! Telling readers that something changed.

use crate::apply::Effects;
use crate::cache::Caches;
use concord_base::FolderId;
use concord_message_log::LargeBodies;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use tokio::sync::watch;

pub(crate) struct Signals {
    folders: Mutex<HashMap<FolderId, watch::Sender<u64>>>,
    queue: watch::Sender<u64>,
    directory: watch::Sender<u64>,
    failed: watch::Sender<bool>,
    pub caches: Caches,
    large: LargeBodies,
}

/// Watched folders without a watcher are forgotten when so many are kept.
const TIDY_AT: usize = 1_024;

impl Signals {
    pub fn new(large: LargeBodies) -> Self {
        Self {
            folders: Mutex::default(),
            queue: watch::Sender::new(0),
            directory: watch::Sender::new(0),
            failed: watch::Sender::new(false),
            caches: Caches::default(),
            large,
        }
    }

    pub fn watch_folder(&self, folder: FolderId) -> watch::Receiver<u64> {
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        if folders.len() >= TIDY_AT {
            folders.retain(|_, sender| sender.receiver_count() > 0);
        }
        folders.entry(folder).or_insert_with(|| watch::Sender::new(0)).subscribe()
    }

    pub fn watch_queue(&self) -> watch::Receiver<u64> {
        self.queue.subscribe()
    }

    pub fn watch_directory(&self) -> watch::Receiver<u64> {
        self.directory.subscribe()
    }

    pub fn watch_failure(&self) -> watch::Receiver<bool> {
        self.failed.subscribe()
    }

    pub fn failed(&self) {
        self.failed.send_replace(true);
    }

    /// After a commit: first what is stale goes, then watchers wake.
    pub fn publish(&self, effects: Effects) {
        if effects.directory {
            self.caches.directory_changed();
            self.directory.send_modify(|n| *n += 1);
        }
        for number in effects.large_dead {
            if let Err(error) = self.large.remove(number) {
                tracing::warn!(%error, "a large body stays behind until the next start");
            }
        }
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        for (folder, modseq) in &effects.folders {
            if let Some(sender) = folders.get(folder) {
                sender.send_replace(*modseq);
            }
        }
        for folder in &effects.folders_gone {
            folders.remove(folder);
            self.caches.folder_gone(*folder);
        }
        drop(folders);
        if effects.queue {
            self.queue.send_modify(|n| *n += 1);
        }
    }
}
