//! `GET /v1/queue/{id}`

use crate::api::State as App;
use crate::extract::Param;
use crate::wire::QueuedView;
use crate::{ApiError, find, view};
use axum::Json;
use axum::extract::State;

pub(crate) async fn get(
    State(shared): App,
    Param(id): Param<String>,
) -> Result<Json<QueuedView>, ApiError> {
    let message = find::queue_id(&id)?;
    let queued = shared.api.administer.show_queued(message).await?;
    Ok(Json(view::queued(&queued, &find::routes(&shared).await?)))
}
