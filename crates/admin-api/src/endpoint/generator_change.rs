//! `PATCH /v1/generators/{name}`

use crate::api::State as App;
use crate::extract::{Body, Param};
use crate::wire::{GeneratorPatch, ObjectView};
use crate::{ApiError, find, view};
use axum::Json;
use axum::extract::State;
use concord_directory::{Details, DirectoryAct, Kind};

pub(crate) async fn patch(
    State(shared): App,
    Param(name): Param<String>,
    Body(patch): Body<GeneratorPatch>,
) -> Result<Json<ObjectView>, ApiError> {
    let _writer = shared.api.writer.whole().await;
    let mut object = (*find::object(&shared, Kind::Generator, &name).await?).clone();
    if let Some(display_name) = patch.display_name {
        object.display_name = display_name;
    }
    if let (Details::Generator(generator), Some(rule)) = (&mut object.details, patch.rule) {
        generator.rule = rule;
    }
    let stored = shared.api.directory.change(DirectoryAct::Set(object)).await?;
    Ok(Json(view::object(&stored)))
}
