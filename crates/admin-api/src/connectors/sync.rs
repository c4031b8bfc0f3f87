//! `/v1/connectors/{name}/sync/{run}`: a connector's side of a run of directory
//! synchronisation.

use crate::ApiError;
use crate::api::State as App;
use crate::extract::{Body, Param, Query};
use crate::sync::{self, Intake};
use axum::Json;
use axum::extract::State;
use concord_connector::wire::{
    ChangeResults, ForeignUpdates, ListingEnd, ListingPart, MAX_WAIT, PresentEnd, PresentPart,
    SyncStep, UpdatesDone,
};
use serde::Deserialize;
use std::time::Duration;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wait {
    /// Seconds.
    #[serde(default)]
    wait: u64,
}

type Which = Param<(String, u64)>;

/// What is to be done next. Also a sign of life.
pub(crate) async fn step(
    State(shared): App,
    Param((name, run)): Which,
    Query(wait): Query<Wait>,
) -> Result<Json<SyncStep>, ApiError> {
    // The last step is asked for when the run has ended here.
    let run = match shared.runs.last(&name).filter(|last| last.id == run) {
        Some(run) => run,
        None => shared.runs.of(&name, run)?,
    };
    Ok(Json(run.next_step(Duration::from_secs(wait.wait.min(MAX_WAIT))).await))
}

fn take_in(shared: &App, name: &str, run: u64, intake: Intake) -> Result<(), ApiError> {
    Ok(shared.runs.of(name, run)?.take_in(intake)?)
}

pub(crate) async fn listing(
    shared: App,
    Param((name, run)): Which,
    Body(part): Body<ListingPart>,
) -> Result<(), ApiError> {
    take_in(&shared, &name, run, Intake::Listing(part))
}

pub(crate) async fn listing_end(
    shared: App,
    Param((name, run)): Which,
    Body(end): Body<ListingEnd>,
) -> Result<(), ApiError> {
    take_in(&shared, &name, run, Intake::ListingEnd(end))
}

pub(crate) async fn present(
    shared: App,
    Param((name, run)): Which,
    Body(part): Body<PresentPart>,
) -> Result<(), ApiError> {
    take_in(&shared, &name, run, Intake::Present(part))
}

pub(crate) async fn present_end(
    shared: App,
    Param((name, run)): Which,
    Body(end): Body<PresentEnd>,
) -> Result<(), ApiError> {
    take_in(&shared, &name, run, Intake::PresentEnd(end))
}

pub(crate) async fn results(
    shared: App,
    Param((name, run)): Which,
    Body(results): Body<ChangeResults>,
) -> Result<(), ApiError> {
    take_in(&shared, &name, run, Intake::Results(results))
}

pub(crate) async fn updates(
    State(shared): App,
    Param(name): Param<String>,
    Body(updates): Body<ForeignUpdates>,
) -> Result<Json<UpdatesDone>, ApiError> {
    Ok(Json(sync::updates(&shared, &name, updates).await?))
}
