//! Shapes of directory synchronisation, for administrators.

use concord_dirsync::Plan;
use serde::{Deserialize, Serialize};

/// `POST /v1/connectors/{name}/sync`: how it is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SyncOptions {
    /// From the foreign directory; with neither this nor `export`, both.
    pub import: bool,
    /// To the foreign directory.
    pub export: bool,
    /// Compare everything, not only what has changed.
    pub full: bool,
    /// Only say what would be done.
    pub dry_run: bool,
    /// The deletions that were withheld are meant.
    pub approve: bool,
    /// Contacts that were made by hand become the connector's, if they have the
    /// target address of a foreign entry.
    pub adopt: bool,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SyncState {
    /// It is under way.
    #[default]
    Running,
    /// It came to its end. Single entries may have failed.
    Done,
    /// It ended early.
    Failed,
}

/// Why a run ended early.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SyncFailure {
    /// Stable.
    pub code: String,
    /// For people, with what to do.
    pub message: String,
}

/// An entry that something is said of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SyncRemark {
    /// What people call it.
    pub name: String,
    /// Its key in the foreign directory, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What is said.
    pub text: String,
}

/// What one direction of a run did; of a dry run, what it would do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SyncCounts {
    /// Entries that were given, on the side that they come from.
    pub listed: u64,
    /// New entries.
    pub added: u64,
    /// Contacts made by hand that became the connector's.
    pub adopted: u64,
    /// Entries that differed.
    pub modified: u64,
    /// Entries that went.
    pub deleted: u64,
    /// Entries that are as they should be.
    pub unchanged: u64,
    /// Entries that do not take part.
    pub left_out: u64,
    /// Entries that could not be planned, or not be written.
    pub failed: u64,
    /// Entries whose address somebody else has.
    pub collisions: u64,
    /// Those that no earlier run told of.
    pub new_collisions: u64,
    /// Deletions that were not made.
    pub withheld: u64,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withheld_because: Option<String>,
    /// The foreign directory had none of what it had before, and got everything
    /// anew (Q174697).
    pub replaced: bool,
    /// The first hundred that failed, and why.
    pub failures: Vec<SyncRemark>,
    /// The first hundred whose address is taken, and by whom.
    pub collided: Vec<SyncRemark>,
    /// How many were left out, by reason.
    pub reasons: Vec<(String, u64)>,
}

impl SyncCounts {
    /// Entries that were, or would be, changed.
    pub fn changes(&self) -> u64 {
        self.added + self.adopted + self.modified + self.deleted
    }
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SyncRun {
    /// Its number; rises.
    pub id: u64,
    /// Who asked: `administrator`, `schedule` or `foreign-side`.
    pub asked_by: String,
    /// How it is done.
    pub options: SyncOptions,
    /// How far it is.
    pub state: SyncState,
    /// What is being done, in a few words.
    pub phase: String,
    /// Entries of this phase that are done.
    pub done: u64,
    /// Entries of this phase; 0 if nobody knows.
    pub total: u64,
    /// When it began.
    pub started: String,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// How long it took.
    pub milliseconds: u64,
    /// Why it ended early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<SyncFailure>,
    /// What the import did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import: Option<SyncCounts>,
    /// What the export did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export: Option<SyncCounts>,
}

/// The answer to `POST /v1/connectors/{name}/sync`, at once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SyncBegun {
    /// Whether a run was under way already, and this is that one: its options
    /// hold.
    pub joined: bool,
    /// The run.
    pub run: SyncRun,
}

/// `GET /v1/connectors/{name}/sync`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SyncStatus {
    /// The run that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<SyncRun>,
    /// The last ten that ended, newest first.
    pub runs: Vec<SyncRun>,
}

/// `GET /v1/connectors/{name}/sync/plan`: what the last run since the core
/// started planned, entry by entry.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SyncPlans {
    /// The run.
    pub run: u64,
    /// What the import would change here, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import_text: Option<String>,
    /// The same for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<Plan>,
    /// What the export would change there, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export_text: Option<String>,
    /// The same for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<Plan>,
}
