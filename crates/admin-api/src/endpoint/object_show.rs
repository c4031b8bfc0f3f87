//! `GET /v1/{mailboxes,contacts,lists,domains,connectors,generators}/{name}`

use crate::api::{Shared, State as App};
use crate::extract::Param;
use crate::wire::{Member, ObjectView};
use crate::{ApiError, find, view};
use axum::Json;
use axum::extract::State;
use concord_directory::{Details, Kind, Object};

pub(crate) async fn get(
    kind: Kind,
    State(shared): App,
    Param(name): Param<String>,
) -> Result<Json<ObjectView>, ApiError> {
    let object = find::object(&shared, kind, &name).await?;
    whole(&shared, &object).await.map(Json)
}

/// An object with what must be looked up: a mailbox's use, a list's members.
pub(crate) async fn whole(shared: &Shared, object: &Object) -> Result<ObjectView, ApiError> {
    let mut view = view::object(object);
    match &object.details {
        Details::Mailbox(_) => {
            let quota = shared.api.store.quota(object.id.into()).await?;
            view.used = Some(quota.used);
            view.messages = Some(quota.messages);
        }
        Details::List(list) => {
            let mut members = Vec::with_capacity(list.members.len());
            for id in &list.members {
                if let Some(member) = shared.api.directory.object(*id).await? {
                    members.push(Member {
                        kind: member.kind().as_str().to_owned(),
                        name: member.name.clone(),
                    });
                }
            }
            members.sort_by_cached_key(|member| member.name.to_lowercase());
            view.members = Some(members);
        }
        _ => {}
    }
    Ok(view)
}
