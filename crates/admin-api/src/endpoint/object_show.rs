//! `GET /v1/{mailboxes,contacts,lists,domains,connectors,generators}/{name}`

use crate::api::{Shared, State as App};
use crate::extract::Param;
use crate::wire::{ForwardView, Member, ObjectView};
use crate::{ApiError, connectors, find, view};
use axum::Json;
use axum::extract::State;
use concord_base::ObjectId;
use concord_directory::{Details, Kind, Object, Scope, Tree};

pub(crate) async fn get(
    kind: Kind,
    State(shared): App,
    Param(name): Param<String>,
) -> Result<Json<ObjectView>, ApiError> {
    let object = find::object(&shared, kind, &name).await?;
    whole(&shared, &object).await.map(Json)
}

/// An object with what must be looked up: a mailbox's use, names of others.
pub(crate) async fn whole(shared: &Shared, object: &Object) -> Result<ObjectView, ApiError> {
    let mut view = view::object(object);
    if object.kind().has_folders() {
        let quota = shared.api.store.quota(object.id.into()).await?;
        view.used = Some(quota.used);
        view.messages = Some(quota.messages);
    }
    let tree = Tree::read(&*shared.api.directory).await?;
    view.dn = Some(tree.dn(object));
    view.container = match object.policy.container {
        Some(_) => Some(tree.path(object.policy.container).join("/")),
        None => None,
    };
    let policy = &object.policy;
    view.accept_from = names(shared, &policy.accept_from).await?;
    view.reject_from = names(shared, &policy.reject_from).await?;
    view.delegates = names(shared, &policy.delegates).await?;
    view.owners = names(shared, object.owners()).await?;
    if let Some(forward) = policy.forward {
        let to = names(shared, &[forward.to]).await?.into_iter().next();
        view.forward = to.map(|to| ForwardView { to, keep: forward.keep });
    }
    match &object.details {
        Details::List(list) => view.members = Some(members(shared, &list.members).await?),
        Details::Role(role) => {
            view.members = Some(members(shared, &role.members).await?);
            view.scope = Some(match &role.scope {
                Scope::Organisation => vec!["*".to_owned()],
                Scope::Containers(containers) => names(shared, containers).await?,
            });
        }
        Details::Connector(_) => {
            view.notices = connectors::read_notices(shared, &object.name).await?;
        }
        _ => {}
    }
    Ok(view)
}

async fn names(shared: &Shared, ids: &[ObjectId]) -> Result<Vec<String>, ApiError> {
    let mut names = Vec::with_capacity(ids.len());
    for id in ids {
        if let Some(object) = shared.api.directory.object(*id).await? {
            names.push(object.name.clone());
        }
    }
    names.sort_by_cached_key(|name| name.to_lowercase());
    Ok(names)
}

async fn members(shared: &Shared, ids: &[ObjectId]) -> Result<Vec<Member>, ApiError> {
    let mut members = Vec::with_capacity(ids.len());
    for id in ids {
        if let Some(member) = shared.api.directory.object(*id).await? {
            members.push(Member {
                kind: member.kind().as_str().to_owned(),
                name: member.name.clone(),
            });
        }
    }
    members.sort_by_cached_key(|member| member.name.to_lowercase());
    Ok(members)
}
