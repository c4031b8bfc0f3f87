//! Requests over the Unix socket.

use super::ApiError;
use crate::wire::{
    AddressAnswer, AddressAnswers, AddressQuery, ForeignUpdates, MAX_ADDRESSES, Notice, OwnObject,
    SentMessage, SyncStep, UpdatesDone, WorkAnswer, WorkDone, WorkItem,
};
use bytes::Bytes;
use concord_base::Fault as _;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::UnixStream;

/// The core answers within half a minute, longer only while a connector waits
/// for work.
const ANSWER_TIME: Duration = Duration::from_secs(60);
/// Seconds of one question for work; the core answers within them.
const WORK_WAIT: u64 = 20;
/// After a question for work that got no answer.
const WORK_PAUSE: Duration = Duration::from_secs(1);
/// Octets of an answer: a page of changes of directory synchronisation.
const MAX_ANSWER: usize = 64 << 20;

/// A connector's way to the core's API. One connection per request.
#[derive(Debug, Clone)]
pub struct CoreApi {
    socket: PathBuf,
    token: String,
    connector: String,
}

#[derive(serde::Deserialize)]
struct Refusal {
    error: RefusalInfo,
}

#[derive(serde::Deserialize)]
struct RefusalInfo {
    code: String,
    message: String,
}

impl CoreApi {
    /// The API at `socket` for the connector of this name and token.
    pub fn new(socket: PathBuf, connector: impl Into<String>, token: impl Into<String>) -> Self {
        Self { socket, token: token.into(), connector: connector.into() }
    }

    /// The connector's name.
    pub fn connector(&self) -> &str {
        &self.connector
    }

    /// The connector's own object with its settings.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] if the directory has no such connector.
    pub async fn own_object(&self) -> Result<OwnObject, ApiError> {
        self.get(&self.own("")).await
    }

    /// Whose addresses are; in order, however many they are.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn addresses(&self, addresses: &[String]) -> Result<Vec<AddressAnswer>, ApiError> {
        let mut answers = Vec::with_capacity(addresses.len());
        for some in addresses.chunks(MAX_ADDRESSES) {
            let query = AddressQuery { addresses: some.to_vec() };
            let answer: AddressAnswers = self.send(Method::POST, "/v1/addresses", &query).await?;
            answers.extend(answer.answers);
        }
        Ok(answers)
    }

    /// A message that the core took in; none if it is not remembered.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn message(&self, queue_id: &str) -> Result<Option<SentMessage>, ApiError> {
        found(self.get(&format!("/v1/messages/{}", encoded(queue_id))).await)
    }

    /// What the connector keeps in the core under a name.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn state<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, ApiError> {
        found(self.get(&self.own(&format!("/state/{}", encoded(key)))).await)
    }

    /// Keeps a value in the core, durable when it returns.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn set_state(&self, key: &str, value: &impl Serialize) -> Result<(), ApiError> {
        self.send(Method::PUT, &self.own(&format!("/state/{}", encoded(key))), value).await
    }

    /// Waits up to `seconds` for something to do.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn work(&self, seconds: u64) -> Result<Option<WorkItem>, ApiError> {
        let answer: WorkAnswer = self.get(&self.own(&format!("/work?wait={seconds}"))).await?;
        Ok(answer.item)
    }

    /// The next piece of work. `None` when there was none for a while, or the core
    /// could not be asked, which then is not asked again at once.
    pub async fn next_work(&self) -> Option<WorkItem> {
        match self.work(WORK_WAIT).await {
            Ok(item) => item,
            Err(error) => {
                tracing::debug!(%error, "the core has no work to tell");
                tokio::time::sleep(WORK_PAUSE).await;
                None
            }
        }
    }

    /// Tells what became of a piece of work.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn work_done(&self, id: u64, done: &WorkDone) -> Result<(), ApiError> {
        self.send(Method::POST, &self.own(&format!("/work/{id}")), done).await
    }

    /// Leaves a notice for the administrator.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn notice(&self, code: &str, text: &str) -> Result<(), ApiError> {
        let notice = Notice { code: code.to_owned(), text: text.to_owned() };
        self.send(Method::POST, &self.own("/notices"), &notice).await
    }

    /// The same, for those who go on either way: the core may be away; then the
    /// log has it.
    pub async fn leave_notice(&self, code: &str, text: &str) {
        tracing::warn!(audience = "operator", code, "{text}");
        if let Err(error) = self.notice(code, text).await {
            tracing::warn!(code = error.code(), %error, "a notice could not be left with the core");
        }
    }

    /// What comes next in a run of directory synchronisation, waiting up to
    /// `seconds` for it. Also says that the connector is at work.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] if the run is over, or was given up.
    pub async fn sync_step(&self, run: u64, seconds: u64) -> Result<SyncStep, ApiError> {
        self.get(&self.own(&format!("/sync/{run}?wait={seconds}"))).await
    }

    /// Tells what the foreign directory told unasked (Q229821); carried out when
    /// it returns.
    ///
    /// # Errors
    /// [`ApiError`]; temporary while another run is under way.
    pub async fn foreign_updates(&self, updates: &ForeignUpdates) -> Result<UpdatesDone, ApiError> {
        self.send(Method::POST, &self.own("/sync/updates"), updates).await
    }

    /// A path of the connector's own.
    pub fn own(&self, rest: &str) -> String {
        format!("/v1/connectors/{}{rest}", encoded(&self.connector))
    }

    /// `GET path`
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        self.request(Method::GET, path, Bytes::new()).await
    }

    /// A request with a JSON body; an empty answer reads as `null`.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ApiError> {
        let body = serde_json::to_vec(body).map_err(|e| ApiError::Broken(e.to_string()))?;
        self.request(method, path, body.into()).await
    }

    async fn request<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<T, ApiError> {
        let asked = self.exchange(method, path, body);
        let (status, octets) = tokio::time::timeout(ANSWER_TIME, asked)
            .await
            .map_err(|_| self.unreachable("it does not answer"))??;
        if (200..300).contains(&status) {
            let octets = if octets.is_empty() { Bytes::from_static(b"null") } else { octets };
            return serde_json::from_slice(&octets).map_err(|e| ApiError::Broken(e.to_string()));
        }
        let info = serde_json::from_slice::<Refusal>(&octets).map(|refusal| refusal.error);
        let info = info.map_err(|e| ApiError::Broken(format!("{status}: {e}")))?;
        if status == 404 {
            return Err(ApiError::NotFound(info.message));
        }
        Err(ApiError::Refused { status, code: info.code, message: info.message })
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(u16, Bytes), ApiError> {
        let stream = UnixStream::connect(&self.socket).await.map_err(|e| self.unreachable(e))?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|e| self.unreachable(e))?;
        let driver = tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "concord")
            .header("authorization", format!("Bearer {}", self.token))
            .body(Full::new(body))
            .map_err(|e| ApiError::Broken(e.to_string()))?;
        let response = sender.send_request(request).await.map_err(|e| self.unreachable(e))?;
        let status = response.status().as_u16();
        let whole = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
        driver.abort();
        let octets = whole.map_err(|e| self.unreachable(e))?.to_bytes();
        Ok((status, octets))
    }

    fn unreachable(&self, cause: impl ToString) -> ApiError {
        ApiError::Unreachable { path: self.socket.clone(), cause: cause.to_string() }
    }
}

fn found<T>(answer: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(ApiError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
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
