//! `POST /v1/mailboxes/{name}/rule-test`: what the mailbox's rules would do with a
//! message. Nothing is done.

use crate::api::{Shared, State as App};
use crate::extract::Param;
use crate::wire::RulesTested;
use crate::{ApiError, find, rules};
use axum::Json;
use axum::extract::{Request, State};
use concord_directory::Kind;
use concord_rules::{Facts, Reader};
use http_body_util::BodyExt;

/// What a message got in front of it since it came within the size limit.
const TRACE_OCTETS: u64 = 8 << 10;

pub(crate) async fn post(
    State(shared): App,
    Param(name): Param<String>,
    request: Request,
) -> Result<Json<RulesTested>, ApiError> {
    let mailbox = find::object(&shared, Kind::Mailbox, &name).await?;
    let facts = read(&shared, request).await?;
    let verdict = shared.api.routing.judge(&mailbox, &facts).await?;
    Ok(Json(rules::tested(rules::of(&mailbox), &verdict)))
}

/// Reads the message as it streams in; nothing of its body is kept.
async fn read(shared: &Shared, request: Request) -> Result<Facts, ApiError> {
    let limit = shared.api.message_size.saturating_add(TRACE_OCTETS);
    let mut reader = Reader::new();
    let mut left = limit;
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| ApiError::BadBody(e.to_string()))?;
        let Ok(octets) = frame.into_data() else { continue };
        let too_large =
            || ApiError::BodyTooLarge { limit: usize::try_from(limit).unwrap_or(usize::MAX) };
        left = left.checked_sub(octets.len() as u64).ok_or_else(too_large)?;
        reader.feed(&octets);
    }
    if left == limit {
        return Err(ApiError::BadBody("it is empty, where the message should be".to_owned()));
    }
    Ok(reader.finish())
}
