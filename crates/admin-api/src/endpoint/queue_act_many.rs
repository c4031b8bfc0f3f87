//! `POST /v1/queue-acts`: something with all messages that match.

use super::queue_act::carry_out;
use super::queue_list::filter;
use crate::ApiError;
use crate::api::State as App;
use crate::extract::Body;
use crate::wire::{ActDone, ActFailed, ActOnMany, QueueQuery};
use axum::Json;
use axum::extract::State;
use concord_base::QueueId;
use concord_transport::TransportError;

/// Messages in one request: each is a commit, and all together must be done
/// within the time of a request even where a commit takes 100 ms.
const MAX_ACTS: u32 = 200;

pub(crate) async fn post(
    State(shared): App,
    Body(body): Body<ActOnMany>,
) -> Result<Json<ActDone>, ApiError> {
    let unbounded =
        QueueQuery { limit: None, after: None, ..body.filter.clone() } == QueueQuery::default();
    if unbounded && !body.all {
        return Err(ApiError::Invalid(
            "cannot act on everything by an empty filter; to mean the whole queue, say \"all\": true".into(),
        ));
    }
    let filter = filter(&body.filter, MAX_ACTS)?;
    let messages = shared.api.administer.list_queue(&filter).await?;
    let full = messages.len() >= usize::try_from(filter.limit).unwrap_or(usize::MAX);
    let mut report = ActDone::default();
    for message in &messages {
        let queue_id = QueueId(message.message).to_string();
        match carry_out(&shared, message.message, body.act).await {
            Ok(()) => report.done.push(queue_id),
            // It left meanwhile: nothing to do any more.
            Err(ApiError::Transport(TransportError::NotQueued(_))) => {}
            Err(e) => report.failed.push(ActFailed { queue_id, error: e.body().error }),
        }
    }
    report.next = messages.last().filter(|_| full).map(|last| QueueId(last.message).to_string());
    Ok(Json(report))
}
