//! `POST /v1/connectors/{name}/notices`: what an administrator should see.

use crate::api::{Shared, State as App};
use crate::extract::{Body, Param};
use crate::wire::NoticeView;
use crate::{ApiError, view};
use axum::extract::State;
use concord_base::StorageError;
use concord_connector::wire::Notice;

/// Notices kept for one connector; the oldest go. More different causes at once
/// are one.
const MAX_NOTICES: usize = 100;
/// Characters of a notice's text and code.
const MAX_TEXT: usize = 2_000;
/// The name of the state that they are kept under.
const KEY: &str = "core.notices";

pub(crate) async fn post(
    State(shared): App,
    Param(name): Param<String>,
    Body(notice): Body<Notice>,
) -> Result<(), ApiError> {
    leave(&shared, &name, &notice.code, &notice.text).await
}

/// Leaves a notice with a connector; one of the same code is counted.
pub(crate) async fn leave(
    shared: &Shared,
    name: &str,
    code: &str,
    said: &str,
) -> Result<(), ApiError> {
    let text = |text: &str| text.chars().take(MAX_TEXT).collect::<String>();
    tracing::warn!(connector = name, code, "{}", text(said));
    let _writer = shared.api.writer.whole().await;
    let mut notices = read(shared, name).await?;
    let now = view::time(shared.api.clock.now());
    match notices.iter_mut().find(|known| known.code == code) {
        Some(known) => {
            known.count += 1;
            known.last = now;
            known.text = text(said);
        }
        None => notices.push(NoticeView {
            code: text(code),
            text: text(said),
            first: now.clone(),
            last: now,
            count: 1,
        }),
    }
    notices.sort_by(|a, b| b.last.cmp(&a.last));
    notices.truncate(MAX_NOTICES);
    let octets = serde_json::to_vec(&notices)
        .map_err(|e| StorageError::Bug(format!("notices cannot be written: {e}")))?;
    Ok(shared.api.directory.set_connector_state(name, KEY, Some(octets)).await?)
}

/// Notices of a connector, newest first.
pub(crate) async fn read(shared: &Shared, name: &str) -> Result<Vec<NoticeView>, ApiError> {
    let octets = shared.api.directory.connector_state(name, KEY).await?;
    Ok(octets.and_then(|octets| serde_json::from_slice(&octets).ok()).unwrap_or_default())
}

/// Forgets the notices of a connector.
pub(crate) async fn forget(shared: &Shared, name: &str) -> Result<(), ApiError> {
    let _writer = shared.api.writer.whole().await;
    Ok(shared.api.directory.set_connector_state(name, KEY, None).await?)
}
