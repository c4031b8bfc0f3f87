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
    let after = query.after.map(|after| after.to_lowercase()).unwrap_or_default();
    // One more, to know whether there is more.
    let objects = shared.api.directory.page(kind, &after, limit.saturating_add(1)).await?;
    let items: Vec<ObjectView> =
        objects.iter().take(limit).map(|object| view::object(object)).collect();
    let next = items.last().filter(|_| objects.len() > limit).map(|last| last.name.clone());
    Ok(Json(Page { items, next }))
}
