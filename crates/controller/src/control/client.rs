//! The client's side of an HTTP and JSON API on a Unix socket.

use super::client_error::ClientError;
use super::request_path::with_query;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::PathBuf;
use tokio::net::UnixStream;
use tokio::task::AbortHandle;

/// The largest answer is a page of 1,000 queued messages with many recipients.
const MAX_ANSWER: usize = 256 << 20;
/// One line of news; a finding names a few messages at most.
const MAX_LINE: usize = 1 << 20;

/// A client of an HTTP and JSON API on a Unix socket. One connection per
/// request: an administrator's pace needs no more.
#[derive(Debug, Clone)]
pub struct JsonClient {
    socket: PathBuf,
    /// The service behind the socket and the socket of its controller.
    service: Option<(&'static str, PathBuf)>,
}

/// Ends the connection's task when the answer has been read.
pub(super) struct Connection(AbortHandle);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl JsonClient {
    /// A client for the API at `socket`.
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into(), service: None }
    }

    /// A client for the API of a service; where it does not answer, the
    /// controller's socket tells whether all or only the service is down.
    pub fn of_service(service: &'static str, socket: PathBuf, controller: PathBuf) -> Self {
        Self { socket, service: Some((service, controller)) }
    }

    /// `GET path?query`
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, ClientError> {
        self.json(Method::GET, &with_query(path, query), Bytes::new()).await
    }

    /// A request with a JSON body; an empty answer reads as `null`.
    pub async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(ClientError::broken)?;
        self.json(method, path, Bytes::from(body)).await
    }

    /// A request without a body; an empty answer reads as `null`.
    pub async fn act<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
    ) -> Result<T, ClientError> {
        self.json(method, path, Bytes::new()).await
    }

    /// `POST path` whose answer comes in lines of JSON; `each` sees every one.
    pub async fn lines<T: DeserializeOwned>(
        &self,
        path: &str,
        each: impl FnMut(T),
    ) -> Result<(), ClientError> {
        self.read_lines(Method::POST, path, Bytes::new(), each).await
    }

    /// `GET path` whose answer comes in lines of JSON; `each` sees every one.
    pub async fn get_lines<T: DeserializeOwned>(
        &self,
        path: &str,
        each: impl FnMut(T),
    ) -> Result<(), ClientError> {
        self.read_lines(Method::GET, path, Bytes::new(), each).await
    }

    /// `POST path?query` with a body that is no JSON: a message.
    pub async fn post_octets<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        body: Bytes,
    ) -> Result<T, ClientError> {
        self.json(Method::POST, &with_query(path, query), body).await
    }

    /// As [`lines`](Self::lines), with a JSON body in the request.
    pub async fn lines_of<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        each: impl FnMut(T),
    ) -> Result<(), ClientError> {
        let body = serde_json::to_vec(body).map_err(ClientError::broken)?;
        self.read_lines(Method::POST, path, Bytes::from(body), each).await
    }

    async fn read_lines<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        mut each: impl FnMut(T),
    ) -> Result<(), ClientError> {
        let (response, _connection) = self.request(method, path, body).await?;
        let status = response.status();
        let mut body = response.into_body();
        if !status.is_success() {
            return Err(ClientError::refused(status.as_u16(), &whole(body).await?));
        }
        let mut held = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(octets) = frame.map_err(ClientError::broken)?.into_data() else { continue };
            held.extend_from_slice(&octets);
            while let Some(end) = held.iter().position(|c| *c == b'\n') {
                let line: Vec<u8> = held.drain(..=end).collect();
                each(serde_json::from_slice(&line).map_err(ClientError::broken)?);
            }
            if held.len() > MAX_LINE {
                return Err(ClientError::broken("the answer has a line without end"));
            }
        }
        Ok(())
    }

    async fn json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<T, ClientError> {
        let (response, _connection) = self.request(method, path, body).await?;
        let status = response.status();
        let octets = whole(response.into_body()).await?;
        if !status.is_success() {
            return Err(ClientError::refused(status.as_u16(), &octets));
        }
        let octets = if octets.is_empty() { b"null" } else { octets.as_ref() };
        serde_json::from_slice(octets).map_err(ClientError::broken)
    }

    pub(super) async fn request(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(Response<Incoming>, Connection), ClientError> {
        let stream = match UnixStream::connect(&self.socket).await {
            Ok(stream) => stream,
            Err(cause) => return Err(self.unreachable(cause).await),
        };
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(ClientError::broken)?;
        let connection = Connection(tokio::spawn(connection).abort_handle());
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "concord")
            .header("content-type", "application/json")
            .body(Full::new(body))
            .map_err(ClientError::broken)?;
        Ok((sender.send_request(request).await.map_err(ClientError::broken)?, connection))
    }

    async fn unreachable(&self, cause: std::io::Error) -> ClientError {
        let socket = self.socket.clone();
        if cause.kind() == std::io::ErrorKind::PermissionDenied {
            return ClientError::NotPermitted { socket };
        }
        match &self.service {
            Some((service, controller)) if UnixStream::connect(controller).await.is_ok() => {
                ClientError::ServiceDown { service }
            }
            _ => ClientError::NotRunning { socket, cause },
        }
    }
}

pub(super) async fn whole(body: Incoming) -> Result<Bytes, ClientError> {
    let collected = Limited::new(body, MAX_ANSWER).collect().await;
    Ok(collected.map_err(ClientError::broken)?.to_bytes())
}
