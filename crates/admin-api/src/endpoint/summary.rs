//! `GET /v1/summary`: the server in numbers.

use crate::ApiError;
use crate::api::State as App;
use crate::view;
use crate::wire::Summary;
use axum::Json;
use axum::extract::State;
use concord_directory::Kind;

pub(crate) async fn get(State(shared): App) -> Result<Json<Summary>, ApiError> {
    let queue = shared.api.administer.summary().await?;
    let waiting_connectors = shared.api.queue.waiting_connectors().await?;
    let mut counts = [0u64; 4];
    let kinds = [Kind::Mailbox, Kind::Contact, Kind::List, Kind::Domain];
    for (count, kind) in counts.iter_mut().zip(kinds) {
        let objects = shared.api.directory.list(kind).await?;
        *count = u64::try_from(objects.len()).unwrap_or(u64::MAX);
    }
    let [mailboxes, contacts, lists, domains] = counts;
    Ok(Json(Summary {
        queued: queue.queued,
        held: queue.held,
        quarantined: queue.quarantined,
        oldest: queue.oldest.map(view::time),
        waiting_connectors,
        mailboxes,
        contacts,
        lists,
        domains,
    }))
}
