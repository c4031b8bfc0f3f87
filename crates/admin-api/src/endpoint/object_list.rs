//! `GET /v1/{mailboxes,contacts,lists,domains,connectors,generators}`

use crate::ApiError;
use crate::api::State as App;
use crate::extract::Query;
use crate::view;
use crate::wire::{MAX_PAGE, ObjectView, Page, PageQuery};
use axum::Json;
use axum::extract::State;
use concord_directory::Kind;

pub(crate) async fn get(
    kind: Kind,
    State(shared): App,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<ObjectView>>, ApiError> {
    let limit = query.limit.unwrap_or(MAX_PAGE).clamp(1, MAX_PAGE);
    let limit = usize::try_from(limit).unwrap_or(1);
    let mut objects = shared.api.directory.list(kind).await?;
    objects.sort_by_cached_key(|object| object.name.to_lowercase());
    let after = query.after.map(|after| after.to_lowercase());
    let mut rest = objects
        .iter()
        .filter(|object| after.as_ref().is_none_or(|after| object.name.to_lowercase() > *after));
    let items: Vec<ObjectView> =
        rest.by_ref().take(limit).map(|object| view::object(object)).collect();
    let more = rest.next().is_some();
    let next = items.last().filter(|_| more).map(|last| last.name.clone());
    Ok(Json(Page { items, next }))
}
