//! Who asks.

use crate::ApiError;
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use concord_connector::Tokens;
use std::sync::Arc;

/// Whose tokens are good.
#[derive(Debug, Clone)]
pub struct ConnectorAccess(Arc<Tokens>);

impl ConnectorAccess {
    /// Those of these tokens.
    pub fn new(tokens: Tokens) -> Self {
        Self(Arc::new(tokens))
    }
}

/// What a connector may reach below `/v1/connectors/` is its own; the rest of
/// this API is for all of them.
pub(super) async fn check(
    State(access): State<ConnectorAccess>,
    request: Request,
    next: Next,
) -> Response {
    let token = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer "));
    let Some(connector) = token.and_then(|token| access.0.check(token)) else {
        return ApiError::NoToken.into_response();
    };
    // Names of connectors have no characters that paths would encode.
    let path = request.uri().path();
    let of_another = path
        .strip_prefix("/v1/connectors/")
        .is_some_and(|rest| rest.split('/').next() != Some(connector));
    if of_another {
        return ApiError::NotYours { connector: connector.to_owned() }.into_response();
    }
    next.run(request).await
}
