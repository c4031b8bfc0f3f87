//! `DELETE /v1/mailboxes/{name}/rules/{rule}`

use crate::api::State as App;
use crate::extract::Param;
use crate::wire::MailboxRule;
use crate::{ApiError, rules};
use axum::Json;
use axum::extract::State;
use concord_directory::DirectoryError;

/// Removes a rule and answers with it as it was.
pub(crate) async fn delete(
    State(shared): App,
    Param((name, rule)): Param<(String, String)>,
) -> Result<Json<MailboxRule>, ApiError> {
    let mut removed = None;
    rules::change(&shared, &name, |all| {
        let place = rules::place(all, &rule)?;
        removed = Some(rules::view(&all.remove(place)));
        Ok(())
    })
    .await?;
    let gone = || DirectoryError::NotFound { kind: "rule", name: rule.clone() };
    removed.map(Json).ok_or_else(|| gone().into())
}
