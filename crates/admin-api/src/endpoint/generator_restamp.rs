//! `GET /v1/generators/{name}/preview` and `POST /v1/generators/{name}/restamp`

use crate::api::State as App;
use crate::extract::{Body, Param, Query};
use crate::wire::{NewRule, Restamped};
use crate::{ApiError, restamp, stamp};
use axum::Json;
use axum::extract::State;
use axum::response::Response;

/// What a rule would do; changes nothing.
pub(crate) async fn preview(
    State(shared): App,
    Param(name): Param<String>,
    Query(new): Query<NewRule>,
) -> Result<Json<Restamped>, ApiError> {
    Ok(Json(restamp::preview(&shared, &name, &new.rule).await?))
}

/// In lines of JSON while it goes on.
pub(crate) async fn post(
    State(shared): App,
    Param(name): Param<String>,
    Body(new): Body<NewRule>,
) -> Response {
    stamp::told(async move |listener| restamp::restamp(&shared, &name, &new.rule, &listener).await)
}
