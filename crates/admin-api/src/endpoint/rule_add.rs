//! `POST /v1/mailboxes/{name}/rules`

use crate::api::State as App;
use crate::extract::{Body, Param};
use crate::wire::{MailboxRule, NewMailboxRule};
use crate::{ApiError, rules};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use concord_directory::DirectoryError;

pub(crate) async fn post(
    State(shared): App,
    Param(name): Param<String>,
    Body(new): Body<NewMailboxRule>,
) -> Result<(StatusCode, Json<MailboxRule>), ApiError> {
    let rule = rules::read(&new.rule)?;
    let added = rules::view(&rule);
    rules::change(&shared, &name, |all| {
        if all.iter().any(|other| other.is_called(&rule.name)) {
            return Err(DirectoryError::NameTaken { kind: "rule", name: rule.name.clone() }.into());
        }
        rules::insert(all, rule, new.position);
        Ok(())
    })
    .await?;
    Ok((StatusCode::CREATED, Json(added)))
}
