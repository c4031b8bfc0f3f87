//! `DELETE /v1/{mailboxes,contacts,lists,domains,connectors,generators}/{name}`

use crate::api::State as App;
use crate::extract::Param;
use crate::wire::ObjectView;
use crate::{ApiError, find, view};
use axum::Json;
use axum::extract::State;
use concord_directory::{DirectoryAct, Kind};

/// Removes the object and answers with it as it was.
pub(crate) async fn delete(
    kind: Kind,
    State(shared): App,
    Param(name): Param<String>,
) -> Result<Json<ObjectView>, ApiError> {
    let _writer = shared.api.writer.whole().await;
    let object = find::object(&shared, kind, &name).await?;
    let removed = shared.api.directory.change(DirectoryAct::Remove(object.id)).await?;
    Ok(Json(view::object(&removed)))
}
