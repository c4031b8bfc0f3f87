//! The admin API as these commands use it: typed answers, errors with their
//! advice, and long work told of line by line.

use crate::context::Context;
use crate::failure::Failure;
use bytes::Bytes;
use concord_admin_api::wire;
use concord_controller::{ClientError, ErrorBody};
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

/// A client of the core's admin API. One connection per request.
pub struct Admin {
    socket: PathBuf,
}

/// Ends the connection's task when the answer has been read.
struct Connection(AbortHandle);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Admin {
    /// The API of the root that the command line means.
    pub fn new(context: &Context) -> Result<Self, Failure> {
        Ok(Self { socket: context.root()?.admin_socket() })
    }

    /// `GET path?query`
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, ClientError> {
        self.json(Method::GET, &with_query(path, query), Bytes::new()).await
    }

    /// A request with a JSON body.
    pub async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(broken)?;
        self.json(method, path, Bytes::from(body)).await
    }

    /// A request without a body.
    pub async fn act<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
    ) -> Result<T, ClientError> {
        self.json(method, path, Bytes::new()).await
    }

    /// All items of a listing, page after page.
    pub async fn all<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<T>, ClientError> {
        let mut items = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let mut query = query.to_vec();
            if let Some(after) = &after {
                query.push(("after", after));
            }
            let page: wire::Page<T> = self.get(path, &query).await?;
            items.extend(page.items);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(items),
            }
        }
    }

    /// `POST path` whose answer comes in lines of JSON; `each` sees every one.
    pub async fn lines<T: DeserializeOwned>(
        &self,
        path: &str,
        mut each: impl FnMut(T),
    ) -> Result<(), ClientError> {
        let (response, _connection) = self.request(Method::POST, path, Bytes::new()).await?;
        let status = response.status();
        let mut body = response.into_body();
        if !status.is_success() {
            return Err(refused(status.as_u16(), &whole(body).await?));
        }
        let mut held = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(octets) = frame.map_err(broken)?.into_data() else { continue };
            held.extend_from_slice(&octets);
            while let Some(end) = held.iter().position(|c| *c == b'\n') {
                let line: Vec<u8> = held.drain(..=end).collect();
                each(serde_json::from_slice(&line).map_err(broken)?);
            }
            if held.len() > MAX_LINE {
                return Err(broken("the answer has a line without end"));
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
        if status.is_success() {
            serde_json::from_slice(&octets).map_err(broken)
        } else {
            Err(refused(status.as_u16(), &octets))
        }
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(Response<Incoming>, Connection), ClientError> {
        let stream = UnixStream::connect(&self.socket).await.map_err(|cause| {
            let socket = self.socket.clone();
            match cause.kind() {
                std::io::ErrorKind::PermissionDenied => ClientError::NotPermitted { socket },
                _ => ClientError::NotRunning { socket, cause },
            }
        })?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let connection = Connection(tokio::spawn(connection).abort_handle());
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "concord")
            .header("content-type", "application/json")
            .body(Full::new(body))
            .map_err(broken)?;
        Ok((sender.send_request(request).await.map_err(broken)?, connection))
    }
}

async fn whole(body: Incoming) -> Result<Bytes, ClientError> {
    Ok(Limited::new(body, MAX_ANSWER).collect().await.map_err(broken)?.to_bytes())
}

fn broken(cause: impl std::fmt::Display) -> ClientError {
    ClientError::Broken(cause.to_string())
}

fn refused(status: u16, octets: &[u8]) -> ClientError {
    let body = match serde_json::from_slice::<wire::ErrorBody>(octets) {
        Ok(body) => ErrorBody { code: body.error.code.clone(), message: words(&body.error) },
        Err(_) => ErrorBody {
            code: "client.unreadable-answer".to_owned(),
            message: format!("the core answered {status}: {}", String::from_utf8_lossy(octets)),
        },
    };
    ClientError::Refused { status, body }
}

/// An error's message and what to do about it.
pub fn words(error: &wire::ErrorInfo) -> String {
    match &error.advice {
        Some(advice) => format!("{}; {advice}", error.message),
        None => error.message.clone(),
    }
}

/// A path whose last part is what a person typed.
pub fn path(start: &str, name: &str) -> String {
    format!("{start}/{}", encoded(name))
}

fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    let pairs: Vec<_> =
        query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// RFC 3986 section 2.1: everything but unreserved characters.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_cannot_leave_its_place_in_the_path() {
        assert_eq!(path("/v1/lists", "a/../b?c#é"), "/v1/lists/a%2F..%2Fb%3Fc%23%C3%A9");
        assert_eq!(with_query("/v1/queue", &[("sender", "a&b=c")]), "/v1/queue?sender=a%26b%3Dc");
    }

    #[test]
    fn advice_stands_behind_the_message() {
        let body =
            br#"{"error":{"code":"x.y","message":"cannot","advice":"do","retry":"permanent"}}"#;
        let error = refused(409, body);
        assert_eq!(error.to_string(), "cannot; do");
        assert!(refused(500, b"<html>").to_string().contains("500"));
    }
}
