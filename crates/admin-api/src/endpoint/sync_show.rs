//! `GET /v1/connectors/{name}/sync` and `.../sync/plan`: what became of runs.

use crate::api::State as App;
use crate::extract::Param;
use crate::wire::{SyncPlans, SyncState, SyncStatus};
use crate::{ApiError, SyncError, sync};
use axum::Json;
use axum::extract::State;

pub(crate) async fn get(
    State(shared): App,
    Param(name): Param<String>,
) -> Result<Json<SyncStatus>, ApiError> {
    let name = sync::name_of(&shared, &name).await?;
    let current = shared.runs.current(&name).map(|run| run.view());
    let mut runs = sync::read_history(&shared, &name).await?;
    let under_way = current.as_ref().map(|run| run.id);
    runs.retain(|run| run.state != SyncState::Running && Some(run.id) != under_way);
    Ok(Json(SyncStatus { current, runs }))
}

/// The plans of the last dry run.
pub(crate) async fn plan(
    State(shared): App,
    Param(name): Param<String>,
) -> Result<Json<SyncPlans>, ApiError> {
    let name = sync::name_of(&shared, &name).await?;
    match shared.runs.last(&name) {
        Some(run) => Ok(Json(run.plans())),
        None => Err(SyncError::NoRun { connector: name, run: 0 }.into()),
    }
}
