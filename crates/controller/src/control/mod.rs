//! The control API: HTTP and JSON on a Unix socket, one endpoint per file.
//!
//! | request | answer |
//! |---|---|
//! | `GET /v1/services` | every service, the controller first |
//! | `GET /v1/services/{name}` | one service |
//! | `POST /v1/services/{name}/start` (`stop`, `restart`) | the service, once it is ready, stopped or failed |
//! | `GET /v1/services/{name}/logs?lines=N` | the last lines of its log |
//! | `POST /v1/reload` | every service, once what runs is what the services' descriptions say now |
//! | `POST /v1/pause` | every service, once all processes have ended; sockets stay open |
//! | `POST /v1/resume` | every service, once each has started |
//! | `POST /v1/replace` `{"program", "args"}` | 202, then the program takes the process over; the answer's body ends with the connection, or with an error if that failed |
//! | `POST /v1/shutdown` | 202; everything stops in order |
//!
//! An error is `{"error": {"code", "message", "advice", "retry"}}`, as the core's
//! are, with a status of 4xx or 5xx.
//! Who may connect is decided by the socket's mode, 0600.

mod act;
mod client;
mod client_error;
mod control_client;
mod list;
mod logs;
mod replace;
mod request_path;
mod shutdown;
mod whole;

use crate::controller::Happening;
use crate::error::ControllerError;
use crate::sockets;
use crate::status::{ErrorBody, ErrorEnvelope};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use concord_base::{Fault, Retry};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tokio::net::UnixListener;
use tokio::sync::{mpsc, oneshot};

pub use client::JsonClient;
pub use client_error::ClientError;
pub use control_client::{ControlClient, REPLACE_TIME};
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

/// The socket, ready to be served, and once more. `held` is the one that the
/// program before this one had. The caller holds the lock.
pub(crate) fn listen(
    path: &Path,
    held: Option<OwnedFd>,
) -> Result<(UnixListener, OwnedFd), ControllerError> {
    let listener = match held {
        Some(held) => held.into(),
        None => bind(path)?,
    };
    let ready = || {
        listener.set_nonblocking(true)?;
        let again = OwnedFd::from(listener.try_clone()?);
        Ok((UnixListener::from_std(listener)?, again))
    };
    ready().map_err(ControllerError::io("listen on", path))
}

fn bind(path: &Path) -> Result<std::os::unix::net::UnixListener, ControllerError> {
    sockets::remove_stale(path).map_err(ControllerError::io("remove", path))?;
    let listener =
        std::os::unix::net::UnixListener::bind(path).map_err(ControllerError::io("bind", path))?;
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
        .route("/v1/reload", post(whole::reload))
        .route("/v1/pause", post(whole::pause))
        .route("/v1/resume", post(whole::resume))
        .route("/v1/replace", post(replace::replace))
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

fn envelope(error: &ControllerError) -> ErrorEnvelope {
    ErrorEnvelope { error: ErrorBody::of(error) }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = match (&self.0, self.0.retry()) {
            (ControllerError::NoService { .. }, _) => StatusCode::NOT_FOUND,
            (ControllerError::NotPaused, _) => StatusCode::CONFLICT,
            (_, Retry::Permanent) => StatusCode::BAD_REQUEST,
            (_, Retry::Temporary) => StatusCode::SERVICE_UNAVAILABLE,
            (_, Retry::Operator | Retry::Bug) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(envelope(&self.0))).into_response()
    }
}
