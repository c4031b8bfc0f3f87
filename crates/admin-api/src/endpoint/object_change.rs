//! `PATCH /v1/{mailboxes,contacts,lists,...}/{name}`

use super::object_show;
use crate::api::{Shared, State as App};
use crate::extract::{Body, Param};
use crate::wire::{ObjectView, Patch};
use crate::{ApiError, apply, find};
use axum::Json;
use axum::extract::State;
use concord_directory::{DirectoryAct, Kind};

/// Changes an object in one commit and answers with it as it is now.
pub(crate) async fn patch(
    kind: Kind,
    State(shared): App,
    Param(name): Param<String>,
    Body(patch): Body<Patch>,
) -> Result<Json<ObjectView>, ApiError> {
    Ok(Json(change(&shared, kind, &name, &patch).await?))
}

async fn change(
    shared: &Shared,
    kind: Kind,
    name: &str,
    patch: &Patch,
) -> Result<ObjectView, ApiError> {
    let _writer = shared.api.writer.whole().await;
    let mut object = (*find::object(shared, kind, name).await?).clone();
    apply::apply(shared, &mut object, patch).await?;
    let stored = shared.api.directory.change(DirectoryAct::Set(object)).await?;
    object_show::whole(shared, &stored).await
}
