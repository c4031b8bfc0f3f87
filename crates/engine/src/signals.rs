//! Telling readers that something changed.

use crate::apply::Effects;
use crate::cache::Caches;
use concord_base::FolderId;
use concord_message_log::LargeBodies;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

pub(crate) struct Signals {
    folders: Mutex<HashMap<FolderId, watch::Sender<u64>>>,
    queue: watch::Sender<u64>,
    directory: watch::Sender<u64>,
    failed: watch::Sender<bool>,
    pub caches: Caches,
    large: LargeBodies,
    /// While it is there large bodies that die are collected instead of
    /// removed: a backup is about to read them.
    kept: Mutex<Option<Vec<u64>>>,
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
            kept: Mutex::default(),
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
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.as_mut() {
            Some(kept) => kept.extend(effects.large_dead),
            None => self.remove_large(effects.large_dead),
        }
        drop(kept);
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
            self.queue_changed();
        }
    }

    /// Wakes those who wait for due deliveries.
    pub fn queue_changed(&self) {
        self.queue.send_modify(|n| *n += 1);
    }

    /// Keeps large bodies that die until the guard goes.
    pub fn keep_large(self: &Arc<Self>) -> KeepLarge {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
        KeepLarge(Arc::clone(self))
    }

    fn remove_large(&self, dead: Vec<u64>) {
        for number in dead {
            if let Err(error) = self.large.remove(number) {
                tracing::warn!(%error, "a large body stays behind until the next start");
            }
        }
    }
}

/// See [`Signals::keep_large`]. One at a time.
pub(crate) struct KeepLarge(Arc<Signals>);

impl Drop for KeepLarge {
    fn drop(&mut self) {
        let dead = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.0.remove_large(dead.unwrap_or_default());
    }
}
