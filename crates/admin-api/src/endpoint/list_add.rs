//! `POST /v1/lists`

use super::object_show;
use crate::api::State as App;
use crate::extract::Body;
use crate::wire::{NewList, ObjectView};
use crate::{ApiError, find, stamp};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use concord_address::Names;
use concord_directory::{Details, DirectoryAct, DistributionList, NewObject, Stamp};
use std::collections::HashSet;

pub(crate) async fn post(
    State(shared): App,
    Body(new): Body<NewList>,
) -> Result<(StatusCode, Json<ObjectView>), ApiError> {
    let display_name = new.display_name.unwrap_or_else(|| new.name.clone());
    let (alias, shown) = (new.name.clone(), display_name.clone());
    let names = Names { alias, display_name: shown, ..Names::default() };
    let mut addresses = new.addresses;
    if addresses.is_empty() {
        addresses.extend(stamp::internet(&shared, &names).await?);
    }
    let mut proxies = find::proxies(&shared, &new.name, &addresses).await?;
    find::own_domains(&shared, &proxies).await?;
    let _writer = shared.api.writer.whole().await;
    let stamps = Stamp::all(&*shared.api.directory).await?;
    stamp::add(&shared, &stamps, &names, &mut proxies, &mut HashSet::new()).await;
    let mut members = Vec::with_capacity(new.members.len());
    for text in &new.members {
        let member = find::recipient(&shared, text).await?;
        if !members.contains(&member.id) {
            members.push(member.id);
        }
    }
    let object = NewObject {
        display_name,
        name: new.name,
        proxies,
        details: Details::List(DistributionList { members, ..DistributionList::default() }),
        attributes: Default::default(),
        policy: Default::default(),
    };
    let added = shared.api.directory.change(DirectoryAct::Add(object)).await?;
    Ok((StatusCode::CREATED, Json(object_show::whole(&shared, &added).await?)))
}
