//! `GET /v1/relay-check`: what a client would hear who wants to send, and why.

use crate::ApiError;
use crate::api::{RelayQuestion, State as App};
use crate::extract::Query;
use crate::find;
use crate::wire::{RelayQuery, RelayView};
use axum::Json;
use axum::extract::State;
use concord_address::SmtpAddress;
use std::net::IpAddr;

pub(crate) async fn get(
    State(shared): App,
    Query(query): Query<RelayQuery>,
) -> Result<Json<RelayView>, ApiError> {
    let user = match &query.user {
        Some(user) => Some(find::recipient(&shared, user).await?),
        None => None,
    };
    let from = query.from.as_deref().filter(|from| !from.is_empty() && *from != "<>");
    let question = RelayQuestion {
        client: ip(&query.client)?,
        interface: query.interface.as_deref().map(ip).transpose()?,
        encrypted: query.tls,
        user,
        from: from.map(smtp).transpose()?,
        to: smtp(&query.to)?,
    };
    Ok(Json(shared.api.routing.relay_check(&question).await?))
}

fn ip(text: &str) -> Result<IpAddr, ApiError> {
    let wrong = || ApiError::Invalid(format!("'{text}' is not an IP address"));
    text.trim_matches(['[', ']']).parse().map_err(|_| wrong())
}

fn smtp(text: &str) -> Result<SmtpAddress, ApiError> {
    let bare = text.strip_prefix('<').and_then(|t| t.strip_suffix('>')).unwrap_or(text);
    bare.parse().map_err(|error| ApiError::Invalid(format!("cannot use '{text}': {error}")))
}
