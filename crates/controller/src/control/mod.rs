//! The control API: HTTP and JSON on a Unix socket, one endpoint per file.
//!
//! | request | answer |
//! |---|---|
//! | `GET /v1/services` | every service, the controller first |
//! | `GET /v1/services/{name}` | one service |
//! | `POST /v1/services/{name}/start` (`stop`, `restart`) | the service, once it is ready, stopped or failed |
//! | `GET /v1/services/{name}/logs?lines=N` | the last lines of its log |
//! | `POST /v1/shutdown` | 202; everything stops in order |
//!
//! An error is `{"error": {"code", "message", "advice", "retry"}}`, as the core's
//! are, with a status of 4xx or 5xx.
//! Who may connect is decided by the socket's mode, 0600.

mod act;
mod client;
mod client_error;
mod list;
mod logs;
mod request_path;
mod shutdown;

use crate::controller::Happening;
use crate::error::ControllerError;
use crate::sockets;
use crate::status::{ErrorBody, ErrorEnvelope};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use concord_base::{Fault, Retry};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tokio::net::UnixListener;
use tokio::sync::{mpsc, oneshot};

pub use client::{ControlClient, JsonClient};
pub use client_error::ClientError;
pub use request_path::path_of;

/// The controller's own name in lists.
pub(crate) const ITSELF: &str = "controller";

/// What the endpoints need.
#[derive(Clone)]
pub(crate) struct Access {
    sender: mpsc::Sender<Happening>,
    log_dir: PathBuf,
}

impl Access {
    pub(crate) fn new(sender: mpsc::Sender<Happening>, log_dir: PathBuf) -> Self {
        Self { sender, log_dir }
    }

    async fn ask<T>(
        &self,
        question: impl FnOnce(oneshot::Sender<T>) -> Happening,
    ) -> Result<T, Failure> {
        let (reply, answer) = oneshot::channel();
        let stopping = || Failure(ControllerError::Stopping);
        self.sender.send(question(reply)).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())
    }
}

/// The socket, ready to be served. The caller holds the lock.
pub(crate) fn listen(path: &Path) -> Result<UnixListener, ControllerError> {
    sockets::remove_stale(path).map_err(ControllerError::io("remove", path))?;
    let listener = UnixListener::bind(path).map_err(ControllerError::io("bind", path))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
        .map_err(ControllerError::io("protect", path))?;
    Ok(listener)
}

pub(crate) async fn serve(listener: UnixListener, access: Access) {
    let router = Router::new()
        .route("/v1/services", get(list::all))
        .route("/v1/services/{name}", get(list::one))
        .route("/v1/services/{name}/start", post(act::start))
        .route("/v1/services/{name}/stop", post(act::stop))
        .route("/v1/services/{name}/restart", post(act::restart))
        .route("/v1/services/{name}/logs", get(logs::tail))
        .route("/v1/shutdown", post(shutdown::shutdown))
        .with_state(access);
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "the control API ended");
    }
}

/// An error on its way to the client.
struct Failure(ControllerError);

impl From<ControllerError> for Failure {
    fn from(error: ControllerError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = match (&self.0, self.0.retry()) {
            (ControllerError::NoService { .. }, _) => StatusCode::NOT_FOUND,
            (_, Retry::Permanent) => StatusCode::BAD_REQUEST,
            (_, Retry::Temporary) => StatusCode::SERVICE_UNAVAILABLE,
            (_, Retry::Operator | Retry::Bug) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(ErrorEnvelope { error: ErrorBody::of(&self.0) })).into_response()
    }
}
