//! One request to rspamd.

use super::answer;
use crate::facts::{ClientFacts, Envelope};
use crate::fault::FilterFault;
use crate::limits::MAX_RSPAMD_ANSWER;
use crate::spec::Times;
use crate::verdict::Opinion;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

const STAGE: &str = "message";

/// Where rspamd is, and what it is told besides the message.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub host: &'a str,
    pub port: u16,
    pub path: &'a str,
    pub password: Option<&'a str>,
    pub facts: &'a ClientFacts,
    pub envelope: &'a Envelope,
    pub queue_id: &'a str,
}

/// Ends the connection's task with the request.
struct Running(tokio::task::AbortHandle);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Asks about one message, on a connection of its own.
pub(crate) async fn ask(
    request: Request<'_>,
    message: &Bytes,
    times: Times,
) -> Result<Opinion, FilterFault> {
    let end = Instant::now() + times.total;
    let address = format!("{}:{}", request.host, request.port);
    let connecting = TcpStream::connect((request.host, request.port));
    let stream = match timeout(times.connect, connecting).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(cause)) => return Err(FilterFault::Connect { address, cause: Arc::new(cause) }),
        Err(_) => return Err(FilterFault::ConnectTimeout { address }),
    };
    let left = end.saturating_duration_since(Instant::now());
    let (wait, total) = if left < times.answer { (left, true) } else { (times.answer, false) };
    match timeout(wait, exchange(stream, request, &address, message)).await {
        Ok(body) => answer::read(&body?, message),
        Err(_) if total => Err(FilterFault::TotalTime { stage: STAGE }),
        Err(_) => Err(FilterFault::Timeout { stage: STAGE }),
    }
}

async fn exchange(
    stream: TcpStream,
    request: Request<'_>,
    address: &str,
    message: &Bytes,
) -> Result<Bytes, FilterFault> {
    let broken = |e: &dyn std::fmt::Display| FilterFault::Http(e.to_string());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|e| broken(&e))?;
    let _running = Running(tokio::spawn(connection).abort_handle());
    let mut http = hyper::Request::post(request.path)
        .body(Full::new(message.clone()))
        .map_err(|e| broken(&e))?;
    *http.headers_mut() = headers(request, address);
    let answer = sender.send_request(http).await.map_err(|e| broken(&e))?;
    if !answer.status().is_success() {
        return Err(FilterFault::HttpStatus(answer.status().as_u16()));
    }
    let body = Limited::new(answer.into_body(), MAX_RSPAMD_ANSWER).collect().await;
    Ok(body.map_err(|e| broken(&e))?.to_bytes())
}

/// The facts as rspamd wants them. A value that cannot stand in a header loses
/// its control characters.
fn headers(request: Request<'_>, address: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut put = |name: &'static str, value: &str| {
        let value: Vec<u8> = value.bytes().filter(|c| !c.is_ascii_control()).collect();
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            headers.append(HeaderName::from_static(name), value);
        }
    };
    let Request { facts, envelope, queue_id, .. } = request;
    put("host", address);
    if let Some(password) = request.password {
        put("password", password);
    }
    if let Some(ip) = facts.ip {
        put("ip", &ip.to_string());
    }
    put("helo", &facts.helo);
    if let Some(name) = &facts.name {
        put("hostname", name);
    }
    put("from", &format!("<{}>", envelope.sender));
    for recipient in &envelope.recipients {
        put("rcpt", &format!("<{recipient}>"));
    }
    if let Some(user) = &envelope.user {
        put("user", user);
    }
    if !queue_id.is_empty() {
        put("queue-id", queue_id);
    }
    put("mta-name", &facts.hostname);
    if let Some(tls) = &facts.tls {
        put("tls-version", &tls.version);
        put("tls-cipher", &tls.cipher);
    }
    headers
}
