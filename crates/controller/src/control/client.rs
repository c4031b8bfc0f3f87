//! The client's side of an HTTP and JSON API on a Unix socket: the
//! controller's own, and any other of the same form.

use crate::status::{ErrorBody, ErrorEnvelope, LogTail, ServiceStatus, Verb};
use bytes::Bytes;
use concord_base::{Fault, Retry};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use tokio::net::UnixStream;

/// The largest answer is a long list or log; more would be a defect.
const MAX_ANSWER: usize = 256 * 1024 * 1024;

/// Why a request had no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens on the socket.
    #[error("cannot reach Concord at {}: {cause}; start it with 'concord up', or give its root with --root", socket.display())]
    NotRunning {
        /// The socket.
        socket: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
    /// The socket belongs to another user.
    #[error("cannot reach Concord at {}: not permitted; run as root or as the user that runs Concord", socket.display())]
    NotPermitted {
        /// The socket.
        socket: PathBuf,
    },
    /// The conversation broke off.
    #[error(
        "cannot finish the request: {0}; look into the service's log with 'concord service logs'"
    )]
    Broken(String),
    /// The server refused; these are its words.
    #[error("{}", .body.message)]
    Refused {
        /// HTTP status.
        status: u16,
        /// Code and message.
        body: ErrorBody,
    },
}

impl Fault for ClientError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotRunning { .. } => "client.not-running",
            Self::NotPermitted { .. } => "client.not-permitted",
            Self::Broken(_) => "client.broken",
            Self::Refused { .. } => "client.refused",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::NotRunning { .. } | Self::NotPermitted { .. } => Retry::Operator,
            Self::Broken(_) => Retry::Temporary,
            Self::Refused { status, .. } if *status >= 500 => Retry::Temporary,
            Self::Refused { .. } => Retry::Permanent,
        }
    }
}

/// A client of an HTTP and JSON API on a Unix socket. One connection per
/// request: an administrator's pace needs no more.
#[derive(Debug, Clone)]
pub struct JsonClient {
    socket: PathBuf,
}

impl JsonClient {
    /// A client for the API at `socket`.
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into() }
    }

    /// `GET path`; the answer must be JSON.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        json(&self.request(Method::GET, path, Bytes::new()).await?)
    }

    /// `GET path`; the answer as it is.
    pub async fn get_text(&self, path: &str) -> Result<String, ClientError> {
        let body = self.request(Method::GET, path, Bytes::new()).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// `POST path` with a JSON body; an empty answer reads as `null`.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        json(&self.request(Method::POST, path, text(body)?).await?)
    }

    /// `PATCH path` with a JSON body; an empty answer reads as `null`.
    pub async fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        json(&self.request(Method::PATCH, path, text(body)?).await?)
    }

    /// `PUT path` with a JSON body; an empty answer reads as `null`.
    pub async fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        json(&self.request(Method::PUT, path, text(body)?).await?)
    }

    /// `DELETE path`; an empty answer reads as `null`.
    pub async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        json(&self.request(Method::DELETE, path, Bytes::new()).await?)
    }

    async fn request(&self, method: Method, path: &str, body: Bytes) -> Result<Bytes, ClientError> {
        let stream = UnixStream::connect(&self.socket).await.map_err(|cause| {
            let socket = self.socket.clone();
            match cause.kind() {
                std::io::ErrorKind::PermissionDenied => ClientError::NotPermitted { socket },
                _ => ClientError::NotRunning { socket, cause },
            }
        })?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let driver = tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "concord")
            .header("content-type", "application/json")
            .body(Full::new(body))
            .map_err(broken)?;
        let response = sender.send_request(request).await.map_err(broken)?;
        let status = response.status();
        let collected = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
        driver.abort();
        let body = collected.map_err(broken)?.to_bytes();
        if status.is_success() { Ok(body) } else { Err(refused(status, &body)) }
    }
}

fn text(body: &impl Serialize) -> Result<Bytes, ClientError> {
    serde_json::to_vec(body).map(Bytes::from).map_err(broken)
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ClientError> {
    let body = if body.is_empty() { b"null" } else { body };
    serde_json::from_slice(body).map_err(broken)
}

fn broken(cause: impl std::fmt::Display) -> ClientError {
    ClientError::Broken(cause.to_string())
}

fn refused(status: StatusCode, body: &[u8]) -> ClientError {
    let error = serde_json::from_slice::<ErrorEnvelope>(body).map(|envelope| envelope.error);
    let body = error.unwrap_or_else(|_| ErrorBody {
        code: "client.unreadable-answer".to_owned(),
        message: format!("the server answered {status}: {}", String::from_utf8_lossy(body)),
    });
    ClientError::Refused { status: status.as_u16(), body }
}

/// A client of the controller.
#[derive(Debug, Clone)]
pub struct ControlClient(JsonClient);

impl ControlClient {
    /// A client for the control socket.
    pub fn new(socket: &Path) -> Self {
        Self(JsonClient::new(socket))
    }

    /// Every service, the controller first.
    pub async fn list(&self) -> Result<Vec<ServiceStatus>, ClientError> {
        self.0.get("/v1/services").await
    }

    /// One service.
    pub async fn status(&self, name: &str) -> Result<ServiceStatus, ClientError> {
        self.0.get(&path(name, "")).await
    }

    /// Starts, stops or restarts a service; answers when it is ready, stopped
    /// or failed.
    pub async fn act(&self, name: &str, verb: Verb) -> Result<ServiceStatus, ClientError> {
        self.0.post(&path(name, &format!("/{}", verb.as_str())), &()).await
    }

    /// The last `lines` lines of a service's log.
    pub async fn logs(&self, name: &str, lines: usize) -> Result<LogTail, ClientError> {
        self.0.get(&path(name, &format!("/logs?lines={lines}"))).await
    }

    /// Stops everything. Answers at once.
    pub async fn shutdown(&self) -> Result<(), ClientError> {
        self.0.post("/v1/shutdown", &()).await
    }
}

/// Names of services are kebab case; what is not cannot name one, and must
/// not change the path.
fn path(name: &str, rest: &str) -> String {
    let clean: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    format!("/v1/services/{clean}{rest}")
}
