//! `GET /v1/messages/{queue id}`: a message that a report is about.

use crate::api::State as App;
use crate::extract::Param;
use crate::{ApiError, find, view};
use axum::Json;
use axum::extract::State;
use concord_connector::wire::SentMessage;
use concord_transport::{TraceQuery, TransportError};

pub(crate) async fn get(
    State(shared): App,
    Param(id): Param<String>,
) -> Result<Json<SentMessage>, ApiError> {
    let message = find::queue_id(&id)?;
    let stories = shared.api.administer.trace(&TraceQuery::Message(message), 1).await?;
    let Some(story) = stories.into_iter().next() else {
        return Err(TransportError::NotQueued(concord_base::QueueId(message)).into());
    };
    Ok(Json(SentMessage {
        queue_id: story.queue_id,
        sender: story.sender,
        message_id: story.header_message_id,
        subject: story.subject,
        received: view::time(story.received),
        envelope_id: story.envelope_id,
    }))
}
