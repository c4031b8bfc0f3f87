//! `GET /v1/mailboxes/{name}/rules`

use crate::api::State as App;
use crate::extract::Param;
use crate::wire::{MailboxRule, Page};
use crate::{ApiError, find, rules};
use axum::Json;
use axum::extract::State;
use concord_directory::Kind;

/// All rules of a mailbox, in the order in which they are asked, as one page.
pub(crate) async fn get(
    State(shared): App,
    Param(name): Param<String>,
) -> Result<Json<Page<MailboxRule>>, ApiError> {
    let mailbox = find::object(&shared, Kind::Mailbox, &name).await?;
    let items = rules::of(&mailbox).iter().map(rules::view).collect();
    Ok(Json(Page { items, next: None }))
}
