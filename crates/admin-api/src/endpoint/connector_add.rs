//! `POST /v1/connectors`

use crate::api::State as App;
use crate::extract::Body;
use crate::wire::{NewConnector, ObjectView};
use crate::{ApiError, view};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use concord_directory::{Connector, Details, DirectoryAct, NewObject};

pub(crate) async fn post(
    State(shared): App,
    Body(new): Body<NewConnector>,
) -> Result<(StatusCode, Json<ObjectView>), ApiError> {
    let object = NewObject {
        display_name: new.display_name.unwrap_or_else(|| new.name.clone()),
        name: new.name,
        proxies: Vec::new(),
        details: Details::Connector(Connector {
            component: new.component,
            enabled: new.enabled,
            address_spaces: new.address_spaces,
            settings: new.settings,
        }),
        attributes: Default::default(),
        policy: Default::default(),
    };
    let _writer = shared.api.writer.whole().await;
    let added = shared.api.directory.change(DirectoryAct::Add(object)).await?;
    Ok((StatusCode::CREATED, Json(view::object(&added))))
}
