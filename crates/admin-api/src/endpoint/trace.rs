//! `GET /v1/trace`: where a message went.

use crate::api::State as App;
use crate::extract::Query;
use crate::wire::{Page, StoryView, TraceParams};
use crate::{ApiError, find, view};
use axum::Json;
use axum::extract::State;
use concord_address::SmtpAddress;
use concord_base::QueueId;
use concord_transport::{Story, TraceQuery};

/// Stories in one answer, at most.
const MAX_STORIES: u32 = 500;
/// Stories in one answer if nothing is said.
const USUAL_STORIES: u32 = 50;

pub(crate) async fn get(
    State(shared): App,
    Query(params): Query<TraceParams>,
) -> Result<Json<Page<StoryView>>, ApiError> {
    let limit = params.limit.unwrap_or(USUAL_STORIES).clamp(1, MAX_STORIES);
    let limit = usize::try_from(limit).unwrap_or(1);
    let mut stories: Vec<Story> = Vec::new();
    for query in queries(&params)? {
        stories = shared.api.administer.trace(&query, limit).await?;
        if !stories.is_empty() {
            break;
        }
    }
    Ok(Json(Page { items: stories.iter().map(view::story).collect(), next: None }))
}

/// What to look for, one after the other until something is found.
fn queries(params: &TraceParams) -> Result<Vec<TraceQuery>, ApiError> {
    let given = [&params.about, &params.queue_id, &params.message_id, &params.address];
    if given.iter().filter(|one| one.is_some()).count() != 1 {
        return Err(ApiError::BadQuery(
            "give one of about, queue_id, message_id and address".into(),
        ));
    }
    if let Some(about) = &params.about {
        return Ok(guesses(about));
    }
    if let Some(id) = &params.queue_id {
        return Ok(vec![TraceQuery::Message(find::queue_id(id)?)]);
    }
    if let Some(id) = &params.message_id {
        return Ok(vec![TraceQuery::HeaderMessageId(bare(id).to_owned())]);
    }
    Ok(params.address.iter().map(|address| TraceQuery::Address(address.clone())).collect())
}

/// A Message-ID looks like an address, so both are tried.
fn guesses(about: &str) -> Vec<TraceQuery> {
    let mut out = Vec::new();
    if let Ok(QueueId(message)) = about.parse::<QueueId>() {
        out.push(TraceQuery::Message(message));
    }
    out.push(TraceQuery::HeaderMessageId(bare(about).to_owned()));
    if bare(about).parse::<SmtpAddress>().is_ok() || about.contains(':') {
        out.push(TraceQuery::Address(bare(about).to_owned()));
    }
    out
}

fn bare(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('<').and_then(|t| t.strip_suffix('>')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_about_is_guessed() {
        let message = TraceQuery::HeaderMessageId("a@b".into());
        assert_eq!(guesses("<a@b>"), [message, TraceQuery::Address("a@b".into())]);
        assert_eq!(guesses("Q0000001").len(), 2);
        assert!(queries(&TraceParams::default()).is_err());
    }
}
