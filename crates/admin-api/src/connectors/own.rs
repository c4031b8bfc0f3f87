//! `GET /v1/connectors/{name}`: what a connector is told of itself.

use crate::api::State as App;
use crate::extract::Param;
use crate::{ApiError, find};
use axum::Json;
use axum::extract::State;
use concord_connector::wire::OwnObject;
use concord_directory::{DirectoryError, Kind, Tree};

pub(crate) async fn get(
    State(shared): App,
    Param(name): Param<String>,
) -> Result<Json<OwnObject>, ApiError> {
    let object = find::object(&shared, Kind::Connector, &name).await?;
    let Some(connector) = object.connector() else {
        return Err(DirectoryError::NotFound { kind: "connector", name }.into());
    };
    let tree = Tree::read(&*shared.api.directory).await?;
    Ok(Json(OwnObject {
        name: object.name.clone(),
        enabled: connector.enabled,
        settings: connector.settings.clone(),
        host: shared.api.hostname.clone(),
        organisation: tree.organisation().to_owned(),
        site: tree.site().to_owned(),
    }))
}
