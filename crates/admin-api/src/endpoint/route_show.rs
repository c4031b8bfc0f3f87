//! `GET /v1/route`: what an address means, where its mail goes, and why.

use crate::api::{Shared, State as App};
use crate::extract::Query;
use crate::wire::{CandidateView, CopyView, RouteQuery, RouteView};
use crate::{ApiError, find};
use axum::Json;
use axum::extract::State;
use concord_address::TypedAddress;
use concord_directory::{
    Candidate, Object, Outcome, Resolution, Routes, Sender, Situation, accepts, expand,
};
use std::sync::Arc;

/// Copies that are listed; a list can have a hundred thousand.
const MAX_COPIES: usize = 100;

pub(crate) async fn get(
    State(shared): App,
    Query(query): Query<RouteQuery>,
) -> Result<Json<RouteView>, ApiError> {
    let address = find::address(&query.address)?;
    let from = match &query.from {
        Some(from) => shared.api.directory.lookup(&find::address(from)?).await?,
        None => None,
    };
    let (routes, situation) = shared.api.routing.situation(from.as_deref()).await?;
    let directory = &*shared.api.directory;
    let resolution = shared.api.routing.meaning(&address).await?;
    let mut view = RouteView { address: address.to_string(), ..RouteView::default() };
    match resolution {
        Resolution::Unknown => view.meaning = "unknown".to_owned(),
        Resolution::Carried(address) => {
            view.meaning = "carried".to_owned();
            view.copies.push(carried(&routes, &situation, &address));
        }
        Resolution::Elsewhere(address) => {
            view.meaning = "elsewhere".to_owned();
            view.copies.push(carried(&routes, &situation, &address));
        }
        Resolution::Recipient(object) => {
            let sender = Sender { object: from.as_ref().map(|from| from.id), proven: true };
            view.meaning = "recipient".to_owned();
            view.recipient = Some(format!("{} {}", object.kind(), object.name));
            view.refusal = accepts(directory, &object, sender, None).await?.map(|r| r.to_string());
            copies(&shared, &routes, &situation, object, &mut view).await?;
        }
    }
    Ok(Json(view))
}

async fn copies(
    shared: &Shared,
    routes: &Routes,
    situation: &Situation,
    object: Arc<Object>,
    view: &mut RouteView,
) -> Result<(), ApiError> {
    let all = expand(&*shared.api.directory, object).await?;
    view.more = u64::try_from(all.len().saturating_sub(MAX_COPIES)).unwrap_or(u64::MAX);
    for reached in all.iter().take(MAX_COPIES) {
        let object = &reached.object;
        view.copies.push(match object.target() {
            Some(target) => carried(routes, situation, target),
            None => CopyView {
                address: object.primary_smtp().map(|a| a.to_string()).unwrap_or_default(),
                mailbox: Some(format!("{} {}", object.kind(), object.name)),
                ..CopyView::default()
            },
        });
    }
    Ok(())
}

fn carried(routes: &Routes, situation: &Situation, address: &TypedAddress) -> CopyView {
    let decision = routes.explain(address, situation);
    CopyView {
        address: address.to_string(),
        mailbox: None,
        connector: decision.route.map(|route| route.connector),
        waits: decision.waits,
        candidates: decision.candidates.iter().map(candidate).collect(),
    }
}

fn candidate(candidate: &Candidate) -> CandidateView {
    let (outcome, reason) = match &candidate.outcome {
        Outcome::Chosen => ("chosen", "it fits best".to_owned()),
        Outcome::OtherTurn => ("other-turn", "as good: other messages take it".to_owned()),
        Outcome::Disabled => ("disabled", "the connector is disabled".to_owned()),
        Outcome::Unusable(cause) => ("unusable", format!("the pattern is damaged: {cause}")),
        Outcome::OutOfScope(scope) => {
            ("out-of-scope", format!("it is for senders in the container {scope} only"))
        }
        Outcome::NoMatch => ("no-match", "the address is not in it".to_owned()),
        Outcome::LessClose => ("less-close", "another one fits more closely".to_owned()),
        Outcome::Unreachable => ("unreachable", "the connector cannot be reached".to_owned()),
        Outcome::Dearer => ("dearer", "another one costs less".to_owned()),
    };
    CandidateView {
        connector: candidate.connector.clone(),
        space: candidate.space.to_string(),
        cost: candidate.space.cost(),
        outcome: outcome.to_owned(),
        reason,
    }
}
