//! `DELETE /v1/connectors/{name}/notices`: the administrator has seen them.

use crate::api::State as App;
use crate::extract::Param;
use crate::{ApiError, connectors, find};
use axum::extract::State;
use concord_directory::Kind;

pub(crate) async fn delete(State(shared): App, Param(name): Param<String>) -> Result<(), ApiError> {
    let object = find::object(&shared, Kind::Connector, &name).await?;
    connectors::forget_notices(&shared, &object.name).await
}
