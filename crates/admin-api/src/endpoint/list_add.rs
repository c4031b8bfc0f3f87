//! `POST /v1/lists`

use super::object_show;
use crate::api::State as App;
use crate::extract::Body;
use crate::wire::{NewList, ObjectView};
use crate::{ApiError, find};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use concord_directory::{Details, DirectoryAct, DistributionList, NewObject};

pub(crate) async fn post(
    State(shared): App,
    Body(new): Body<NewList>,
) -> Result<(StatusCode, Json<ObjectView>), ApiError> {
    let proxies = find::proxies(&shared, &new.name, &new.addresses).await?;
    find::own_domains(&shared, &proxies).await?;
    let _writer = shared.directory_writer.lock().await;
    let mut members = Vec::with_capacity(new.members.len());
    for text in &new.members {
        let member = find::recipient(&shared, text).await?;
        if !members.contains(&member.id) {
            members.push(member.id);
        }
    }
    let object = NewObject {
        display_name: new.display_name.unwrap_or_else(|| new.name.clone()),
        name: new.name,
        proxies,
        details: Details::List(DistributionList { members }),
    };
    let added = shared.api.directory.change(DirectoryAct::Add(object)).await?;
    Ok((StatusCode::CREATED, Json(object_show::whole(&shared, &added).await?)))
}
