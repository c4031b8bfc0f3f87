//! `PATCH /v1/mailboxes/{name}/rules/{rule}`

use crate::api::State as App;
use crate::extract::{Body, Param};
use crate::wire::{MailboxRule, MailboxRulePatch};
use crate::{ApiError, rules};
use axum::Json;
use axum::extract::State;
use concord_directory::DirectoryError;

/// Changes a rule and answers with it as it is now.
pub(crate) async fn patch(
    State(shared): App,
    Param((name, rule)): Param<(String, String)>,
    Body(patch): Body<MailboxRulePatch>,
) -> Result<Json<MailboxRule>, ApiError> {
    let mut changed = None;
    rules::change(&shared, &name, |all| {
        let place = rules::place(all, &rule)?;
        let mut rule = all.remove(place);
        rules::apply(&mut rule, &patch)?;
        if all.iter().any(|other| other.is_called(&rule.name)) {
            return Err(DirectoryError::NameTaken { kind: "rule", name: rule.name }.into());
        }
        changed = Some(rules::view(&rule));
        let stays = u32::try_from(place + 1).ok();
        rules::insert(all, rule, patch.position.or(stays));
        Ok(())
    })
    .await?;
    let gone = || DirectoryError::NotFound { kind: "rule", name: rule.clone() };
    changed.map(Json).ok_or_else(|| gone().into())
}
