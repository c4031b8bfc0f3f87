//! What is remembered of runs: the last ten, and which collisions were told.

use super::error::SyncError;
use super::links::json;
use crate::api::Shared;
use crate::wire::{SyncFailure, SyncRun, SyncState};
use concord_base::Fault;
use concord_dirsync::{Collision, ForeignKey};
use std::collections::BTreeSet;

/// Runs that are kept.
const MAX_RUNS: usize = 10;
/// Collisions that are remembered as told; more are told again.
const MAX_COLLISIONS: usize = 10_000;
const RUNS: &str = "core.sync";
const COLLISIONS: &str = "core.collisions";

/// Runs of a connector, newest first. One that had not ended when the core was
/// started anew failed.
pub(crate) async fn read(shared: &Shared, connector: &str) -> Result<Vec<SyncRun>, SyncError> {
    // Asked first: a run that ends meanwhile is kept by then.
    let known = shared.runs.last(connector).map(|run| run.id);
    let octets = shared.api.directory.connector_state(connector, RUNS).await?;
    let mut runs: Vec<SyncRun> =
        octets.and_then(|octets| serde_json::from_slice(&octets).ok()).unwrap_or_default();
    for run in &mut runs {
        if run.state == SyncState::Running && Some(run.id) != known {
            let stopped = SyncError::Stopped;
            run.state = SyncState::Failed;
            run.failure =
                Some(SyncFailure { code: stopped.code().to_owned(), message: stopped.to_string() });
        }
    }
    Ok(runs)
}

/// Keeps a run, in place of what was kept of it before.
pub(super) async fn keep(shared: &Shared, connector: &str, run: SyncRun) -> Result<(), SyncError> {
    let mut runs = read(shared, connector).await?;
    runs.retain(|other| other.id != run.id);
    runs.insert(0, run);
    runs.truncate(MAX_RUNS);
    let octets = json(&runs)?;
    Ok(shared.api.directory.set_connector_state(connector, RUNS, Some(octets)).await?)
}

/// Entries whose collision was told (Q238447).
pub(super) async fn told(
    shared: &Shared,
    connector: &str,
) -> Result<BTreeSet<ForeignKey>, SyncError> {
    let octets = shared.api.directory.connector_state(connector, COLLISIONS).await?;
    Ok(octets.and_then(|octets| serde_json::from_slice(&octets).ok()).unwrap_or_default())
}

/// Remembers which collisions were told; those that are over are forgotten.
pub(super) async fn tell(
    shared: &Shared,
    connector: &str,
    before: &BTreeSet<ForeignKey>,
    collisions: &[Collision],
) -> Result<(), SyncError> {
    let keys = collisions.iter().filter_map(|collision| collision.subject.key.clone());
    let now: BTreeSet<ForeignKey> = keys.take(MAX_COLLISIONS).collect();
    if now == *before {
        return Ok(());
    }
    let octets = if now.is_empty() { None } else { Some(json(&now)?) };
    Ok(shared.api.directory.set_connector_state(connector, COLLISIONS, octets).await?)
}
