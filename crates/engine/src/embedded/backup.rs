//! A backup beside the running engine.

use super::Embedded;
use crate::backup::{BackupReport, BackupStep, Extent, write};
use concord_base::StorageError;
use std::path::Path;

impl Embedded {
    /// Copies what the engine has at this moment to the directory `to`, which
    /// must be new or empty; it can then be opened as an engine's directory.
    /// What `previous`, an earlier backup on the same file system, has in the
    /// same form is linked instead of copied. Mail goes on meanwhile;
    /// compaction waits. `told` hears of each step, on another thread.
    ///
    /// # Errors
    /// [`StorageError`]; what is in `to` then is no backup. On success all of
    /// it is on disk.
    pub async fn backup(
        &self,
        to: &Path,
        previous: Option<&Path>,
        mut told: impl FnMut(BackupStep) + Send + 'static,
    ) -> Result<BackupReport, StorageError> {
        let _moving = self.moving.lock().await;
        // Before the index is copied: what is live in the copy stays.
        let kept = self.shared.signals.keep_large();
        let options = self.options.clone();
        let (to, previous) = (to.to_owned(), previous.map(Path::to_owned));
        tokio::task::spawn_blocking(move || {
            let report = write(&options, &to, previous.as_deref(), Extent::Index, &mut told);
            drop(kept);
            report
        })
        .await
        .map_err(|e| StorageError::Bug(format!("the backup ended: {e}")))?
    }
}
