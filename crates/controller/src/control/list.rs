//! `GET /v1/services` and `GET /v1/services/{name}`

use super::{Access, Failure};
use crate::controller::Happening;
use crate::error::ControllerError;
use crate::status::ServiceStatus;
use axum::Json;
use axum::extract::{Path, State};

pub(super) async fn all(State(access): State<Access>) -> Result<Json<Vec<ServiceStatus>>, Failure> {
    access.ask(Happening::List).await.map(Json)
}

pub(super) async fn one(
    State(access): State<Access>,
    Path(name): Path<String>,
) -> Result<Json<ServiceStatus>, Failure> {
    let all = access.ask(Happening::List).await?;
    let known = all.iter().map(|s| s.name.clone()).collect();
    match all.into_iter().find(|s| s.name == name) {
        Some(found) => Ok(Json(found)),
        None => Err(ControllerError::NoService { name, known }.into()),
    }
}
