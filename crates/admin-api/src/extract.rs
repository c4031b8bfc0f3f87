//! Extractors whose refusals are [`ApiError`]s.

use crate::ApiError;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;

/// Octets of a request's body: a list with thousands of members fits.
pub(crate) const MAX_BODY: usize = 1 << 20;

/// A JSON body, whatever its content type is called.
pub(crate) struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let octets = Bytes::from_request(request, state).await.map_err(unread)?;
        serde_json::from_slice(&octets).map(Body).map_err(|e| ApiError::BadBody(e.to_string()))
    }
}

fn unread(rejection: BytesRejection) -> ApiError {
    let text = rejection.to_string();
    match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::BodyTooLarge { limit: MAX_BODY },
        _ => ApiError::BadBody(text),
    }
}

/// The query.
pub(crate) struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|query| Query(query.0))
            .map_err(|e| ApiError::BadQuery(e.body_text()))
    }
}

/// What stands in the path's braces.
pub(crate) struct Param<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Param<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = parts.uri.path().to_owned();
        Path::<T>::from_request_parts(parts, state)
            .await
            .map(|found| Param(found.0))
            .map_err(|_| ApiError::NoSuchPath { path })
    }
}
