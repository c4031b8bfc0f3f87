//! Long work on the store, with progress.

use concord_base::StorageError;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use tokio::sync::mpsc::Sender;

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaintenanceTask {
    /// Read everything and check it; changes nothing.
    Verify,
    /// Give room of removed messages back.
    Compact,
    /// Make the index anew from the message log. The core cannot do it under
    /// its own feet: it notes the wish, and does it when it next starts.
    RebuildIndex,
    /// Copy the store to another directory.
    Backup(BackupRequest),
}

/// Where a backup goes. The core writes it, as the user that it runs as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupRequest {
    /// An absolute path to a directory that is new or empty.
    pub to: PathBuf,
    /// An earlier backup on the same file system: files that have not changed
    /// since are linked from it instead of copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<PathBuf>,
}

/// News of work under way. One line of JSON each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Progress {
    /// How far it is.
    Step {
        /// What is being worked on.
        what: String,
        /// Octets or items done.
        done: u64,
        /// Of how many; 0 if not known.
        total: u64,
    },
    /// Something is wrong.
    Finding {
        /// A stable code (`log.checksum`, `index.missing-item`).
        code: String,
        /// The file or object.
        place: String,
        /// What is wrong, and what it means.
        what: String,
    },
    /// It is finished; the last line.
    Done(Outcome),
    /// It could not be finished; the last line.
    Failed(crate::wire::ErrorBody),
}

/// How work ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// One sentence for people.
    pub summary: String,
    /// Items looked at.
    pub checked: u64,
    /// Findings reported.
    pub findings: u64,
    /// Octets given back.
    pub freed: u64,
}

/// Maintenance of the engine. Runs beside everything else; one task at a time
/// (a second one fails with [`StorageError::Busy`]).
#[async_trait::async_trait]
pub trait Maintenance: Send + Sync + 'static {
    /// Does one task, telling of [`Progress::Step`] and [`Progress::Finding`]
    /// on the way. When `progress` is closed nobody listens any more: the task
    /// should stop at the next good place.
    async fn run(
        &self,
        task: MaintenanceTask,
        progress: Sender<Progress>,
    ) -> Result<Outcome, StorageError>;
}
