//! `GET /v1/queue`

use crate::api::State as App;
use crate::extract::Query;
use crate::wire::{MAX_PAGE, Page, QueueQuery, QueuedView};
use crate::{ApiError, find, view};
use axum::Json;
use axum::extract::State;
use concord_base::QueueId;
use concord_transport::{DeliveryState, QueueFilter};

pub(crate) async fn get(
    State(shared): App,
    Query(query): Query<QueueQuery>,
) -> Result<Json<Page<QueuedView>>, ApiError> {
    let filter = filter(&query, MAX_PAGE)?;
    let messages = shared.api.administer.list_queue(&filter).await?;
    let full = messages.len() >= usize::try_from(filter.limit).unwrap_or(usize::MAX);
    let next = messages.last().filter(|_| full).map(|last| QueueId(last.message).to_string());
    let routes = find::routes(&shared).await?;
    let items = messages.iter().map(|message| view::queued(message, &routes)).collect();
    Ok(Json(Page { items, next }))
}

/// The filter that a query means, for a page of at most `most`.
pub(crate) fn filter(query: &QueueQuery, most: u32) -> Result<QueueFilter, ApiError> {
    let states = [DeliveryState::Queued, DeliveryState::Held, DeliveryState::Quarantined];
    let state = match &query.state {
        None => None,
        Some(word) => Some(states.into_iter().find(|s| s.as_str() == word).ok_or_else(|| {
            ApiError::BadQuery(format!("'{word}' is no state: queued, held or quarantined"))
        })?),
    };
    Ok(QueueFilter {
        state,
        connector: query.connector.clone(),
        group: query.domain.as_ref().map(|domain| domain.to_lowercase()),
        sender: query.sender.clone(),
        recipient: query.recipient.clone(),
        limit: query.limit.unwrap_or(most).clamp(1, most),
        after: query.after.as_deref().map(find::queue_id).transpose()?,
    })
}
