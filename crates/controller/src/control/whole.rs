//! `POST /v1/reload`, `/v1/pause` and `/v1/resume`

use super::{Access, Failure};
use crate::controller::Happening;
use crate::status::ServiceStatus;
use axum::Json;
use axum::extract::State;

type Answer = Result<Json<Vec<ServiceStatus>>, Failure>;

pub(super) async fn reload(State(access): State<Access>) -> Answer {
    Ok(Json(access.ask(Happening::Reload).await??))
}

pub(super) async fn pause(State(access): State<Access>) -> Answer {
    Ok(Json(access.ask(Happening::Pause).await??))
}

pub(super) async fn resume(State(access): State<Access>) -> Answer {
    Ok(Json(access.ask(Happening::Resume).await??))
}
