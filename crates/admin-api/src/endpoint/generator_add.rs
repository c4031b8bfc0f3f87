//! `POST /v1/generators`

use crate::api::State as App;
use crate::extract::Body;
use crate::wire::{NewGenerator, ObjectView};
use crate::{ApiError, view};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use concord_directory::{Details, DirectoryAct, Generator, NewObject};

/// New mailboxes are stamped from now on; those that are there already by
/// `POST /v1/generators/stamp`.
pub(crate) async fn post(
    State(shared): App,
    Body(new): Body<NewGenerator>,
) -> Result<(StatusCode, Json<ObjectView>), ApiError> {
    let name = new.name.to_ascii_uppercase();
    let object = NewObject {
        display_name: new.display_name.unwrap_or_else(|| name.clone()),
        name,
        proxies: Vec::new(),
        details: Details::Generator(Generator { component: new.component, rule: new.rule }),
        attributes: Default::default(),
        policy: Default::default(),
    };
    let _writer = shared.api.writer.whole().await;
    let added = shared.api.directory.change(DirectoryAct::Add(object)).await?;
    Ok((StatusCode::CREATED, Json(view::object(&added))))
}
