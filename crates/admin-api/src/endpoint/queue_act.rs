//! `POST /v1/queue/{id}/{act}`

use crate::api::{Shared, State as App};
use crate::extract::Param;
use crate::wire::{ActDone, ActName};
use crate::{ApiError, find};
use axum::Json;
use axum::extract::State;
use concord_base::{MessageId, QueueId};
use concord_transport::QueueAct;

pub(crate) async fn post(
    State(shared): App,
    Param((id, act)): Param<(String, ActName)>,
) -> Result<Json<ActDone>, ApiError> {
    let message = find::queue_id(&id)?;
    carry_out(&shared, message, act).await?;
    Ok(Json(ActDone { done: vec![QueueId(message).to_string()], ..ActDone::default() }))
}

/// Does one thing with one message.
pub(crate) async fn carry_out(
    shared: &Shared,
    message: MessageId,
    act: ActName,
) -> Result<(), ApiError> {
    let act = match act {
        ActName::Retry => QueueAct::Retry,
        ActName::Hold => QueueAct::Hold,
        ActName::Release => QueueAct::Release,
        ActName::Delete => QueueAct::Delete,
        ActName::Return => {
            return Ok(shared.api.return_mail.return_to_sender(message).await?);
        }
    };
    Ok(shared.api.administer.act_on_queued(message, act).await?)
}
