//! `POST /v1/connectors/{name}/sync`: has directories synchronised.

use crate::ApiError;
use crate::api::State as App;
use crate::extract::{Body, Param};
use crate::sync::{self, AskedBy};
use crate::wire::{SyncBegun, SyncOptions};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

/// Answers at once; a run that is under way is joined.
pub(crate) async fn post(
    State(shared): App,
    Param(name): Param<String>,
    Body(options): Body<SyncOptions>,
) -> Result<(StatusCode, Json<SyncBegun>), ApiError> {
    let name = sync::name_of(&shared, &name).await?;
    let begun = sync::begin(&shared, &name, options, AskedBy::Administrator).await?;
    Ok((StatusCode::ACCEPTED, Json(begun)))
}
