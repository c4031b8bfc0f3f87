//! `POST /v1/contacts`

use crate::api::State as App;
use crate::extract::Body;
use crate::wire::{NewContact, ObjectView};
use crate::{ApiError, find, view};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use concord_directory::{Contact, Details, DirectoryAct, NewObject};

pub(crate) async fn post(
    State(shared): App,
    Body(new): Body<NewContact>,
) -> Result<(StatusCode, Json<ObjectView>), ApiError> {
    let target = find::address(&new.target)?;
    let proxies = if new.addresses.is_empty() {
        Vec::new()
    } else {
        find::proxies(&shared, &new.name, &new.addresses).await?
    };
    let object = NewObject {
        display_name: new.display_name.unwrap_or_else(|| new.name.clone()),
        name: new.name,
        proxies,
        details: Details::Contact(Contact { target }),
        attributes: Default::default(),
        policy: Default::default(),
    };
    let _writer = shared.api.writer.whole().await;
    let added = shared.api.directory.change(DirectoryAct::Add(object)).await?;
    Ok((StatusCode::CREATED, Json(view::object(&added))))
}
