//! The API for connectors: a socket of its own, on which every request shows a
//! token and reaches that connector's things only.

mod addresses;
mod auth;
mod board;
mod message;
mod notices;
mod own;
mod state;
mod sync;
mod work;

pub use auth::ConnectorAccess;
pub(crate) use board::WorkBoard;
pub(crate) use notices::{forget as forget_notices, leave as leave_notice, read as read_notices};

use crate::ApiError;
use crate::api::Shared;
use crate::extract::MAX_BODY;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Uri;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use std::sync::Arc;

/// The router of the connectors' socket.
pub(crate) fn router(shared: Arc<Shared>, access: ConnectorAccess) -> Router {
    Router::new()
        .route("/v1/connectors/{name}", get(own::get))
        .route(
            "/v1/connectors/{name}/state/{key}",
            get(state::get).put(state::put).delete(state::delete),
        )
        .route("/v1/connectors/{name}/work", get(work::get))
        .route("/v1/connectors/{name}/work/{id}", post(work::done))
        .route("/v1/connectors/{name}/sync/updates", post(sync::updates))
        .route("/v1/connectors/{name}/sync/{run}", get(sync::step))
        .route("/v1/connectors/{name}/sync/{run}/listing", post(sync::listing))
        .route("/v1/connectors/{name}/sync/{run}/listing/end", post(sync::listing_end))
        .route("/v1/connectors/{name}/sync/{run}/present", post(sync::present))
        .route("/v1/connectors/{name}/sync/{run}/present/end", post(sync::present_end))
        .route("/v1/connectors/{name}/sync/{run}/results", post(sync::results))
        .route("/v1/connectors/{name}/notices", post(notices::post))
        .route("/v1/addresses", post(addresses::post))
        .route("/v1/messages/{id}", get(message::get))
        .fallback(no_such_path)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(access, auth::check))
        .with_state(shared)
}

async fn no_such_path(uri: Uri) -> ApiError {
    ApiError::NoSuchPath { path: uri.path().to_owned() }
}
