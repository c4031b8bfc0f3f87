//! `GET /v1/connectors/{name}/work` and `POST .../work/{id}`: a connector asks
//! what there is to do, and answers.

use crate::ApiError;
use crate::api::State as App;
use crate::extract::{Body, Param, Query};
use axum::Json;
use axum::extract::State;
use concord_connector::wire::{MAX_WAIT, WorkAnswer, WorkDone};
use concord_directory::DirectoryError;
use serde::Deserialize;
use std::time::Duration;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wait {
    /// Seconds.
    #[serde(default)]
    wait: u64,
}

pub(crate) async fn get(
    State(shared): App,
    Param(name): Param<String>,
    Query(wait): Query<Wait>,
) -> Result<Json<WorkAnswer>, ApiError> {
    let wait = Duration::from_secs(wait.wait.min(MAX_WAIT));
    Ok(Json(WorkAnswer { item: shared.board.take(&name, wait).await }))
}

pub(crate) async fn done(
    State(shared): App,
    Param((name, id)): Param<(String, u64)>,
    Body(done): Body<WorkDone>,
) -> Result<(), ApiError> {
    if shared.board.done(&name, id, done) {
        return Ok(());
    }
    Err(DirectoryError::NotFound { kind: "work", name: id.to_string() }.into())
}
