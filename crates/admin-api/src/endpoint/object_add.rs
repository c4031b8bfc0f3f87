//! `POST /v1/{public-folders,resources,containers,roles}`

use super::object_show;
use crate::api::State as App;
use crate::extract::Body;
use crate::wire::{ObjectView, Patch};
use crate::{ApiError, apply, find, stamp};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use concord_base::ObjectId;
use concord_directory::{
    Details, DirectoryAct, Kind, NewObject, Object, PublicFolder, Resource, Role, Scope, Stamp,
};
use std::collections::HashSet;

/// Adds an object of a kind that has no shape of its own: a patch of an empty
/// one, in one commit.
pub(crate) async fn post(
    kind: Kind,
    State(shared): App,
    Body(patch): Body<Patch>,
) -> Result<(StatusCode, Json<ObjectView>), ApiError> {
    let Some(name) = patch.name.clone() else {
        return Err(ApiError::Invalid(format!("cannot add a {kind} without a name; give one")));
    };
    let details = match kind {
        Kind::PublicFolder => Details::PublicFolder(PublicFolder::default()),
        Kind::Resource => Details::Resource(Resource::default()),
        // Whoever says nothing gives rights nowhere.
        Kind::Role => {
            Details::Role(Role { scope: Scope::Containers(Vec::new()), ..Role::default() })
        }
        _ => Details::Container,
    };
    let _writer = shared.api.writer.whole().await;
    let mut new = NewObject { display_name: name.clone(), ..NewObject::new(name, details) };
    if kind.is_recipient() && patch.add_addresses.is_empty() && patch.primary_addresses.is_empty() {
        new.proxies = find::proxies(&shared, &new.name, &[]).await?;
    }
    let mut object = Object::from_new(ObjectId(0), new, shared.api.clock.now());
    apply::apply(&shared, &mut object, &patch).await?;
    if kind.is_recipient() {
        let stamps = Stamp::all(&*shared.api.directory).await?;
        let names = object.names();
        stamp::add(&shared, &stamps, &names, &mut object.proxies, &mut HashSet::new()).await;
    }
    let added = shared.api.directory.change(DirectoryAct::Add(object.into())).await?;
    Ok((StatusCode::CREATED, Json(object_show::whole(&shared, &added).await?)))
}
