//! A server on a socket in a directory of its own, and a client.

use concord_address::TypedAddress;
use concord_admin_api::RelayQuestion;
use concord_admin_api::wire::RelayView;
use concord_admin_api::{
    AdminApi, Maintenance, MaintenanceTask, Outcome, Progress, ReturnMail, RoutingState,
};
use concord_base::{ByteSize, MessageId, StorageError, SystemClock};
use concord_directory::{
    Directory, DirectoryError, Kind, Object, Resolution, Routes, Situation, resolve,
};
use concord_engine::{Embedded, EngineOptions};
use concord_rules::{Facts, Identity, People, Verdict, judge};
use concord_transport::{Administer, QueueAct, TransportError};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

pub struct Server {
    pub engine: Arc<Embedded>,
    pub go_ahead: CancellationToken,
    socket: PathBuf,
    _directory: tempfile::TempDir,
}

/// The core's part is to write a report; here only the removal counts.
struct Return(Arc<Embedded>);

#[async_trait::async_trait]
impl ReturnMail for Return {
    async fn return_to_sender(&self, message: MessageId) -> Result<(), TransportError> {
        self.0.act_on_queued(message, QueueAct::Delete).await
    }
}

/// Every connector can be reached.
struct Reachable(Arc<Embedded>);

#[async_trait::async_trait]
impl RoutingState for Reachable {
    async fn situation(
        &self,
        _: Option<&Object>,
    ) -> Result<(Arc<Routes>, Situation), DirectoryError> {
        let connectors = self.0.list(Kind::Connector).await?;
        Ok((Arc::new(Routes::new(&connectors)), Situation::default()))
    }

    async fn meaning(&self, address: &TypedAddress) -> Result<Resolution, DirectoryError> {
        let routes = Routes::new(&self.0.list(Kind::Connector).await?);
        resolve(&*self.0, &routes, "mail.example.test", Some('+'), address).await
    }

    /// The core's, and tested there.
    async fn relay_check(&self, _: &RelayQuestion) -> Result<RelayView, DirectoryError> {
        Ok(RelayView::default())
    }

    /// The core's, and tested there.
    async fn start_domain(&self, domain: &str, _: bool) -> Result<Option<u64>, DirectoryError> {
        Ok((domain == "etrn.test").then_some(3))
    }

    /// Without the directory, which is the core's, and tested there.
    async fn judge(&self, mailbox: &Object, message: &Facts) -> Result<Verdict, DirectoryError> {
        let rules = mailbox.mailbox().map(|m| m.rules.as_slice()).unwrap_or_default();
        Ok(judge(rules, message, &People::new(Identity::Object(mailbox.id))))
    }
}

/// Tells what it was asked, to see it come out of the other end.
struct Told;

#[async_trait::async_trait]
impl Maintenance for Told {
    async fn run(
        &self,
        task: MaintenanceTask,
        progress: Sender<Progress>,
    ) -> Result<Outcome, StorageError> {
        if task == MaintenanceTask::Compact {
            return Err(StorageError::Busy { budget: 1 });
        }
        let step = Progress::Step { what: format!("{task:?}"), done: 1, total: 2 };
        progress.send(step).await.map_err(|_| StorageError::Stopping)?;
        Ok(Outcome { summary: "all is well".into(), checked: 2, ..Outcome::default() })
    }
}

impl Server {
    pub async fn start() -> Self {
        let server = Self::held().await;
        server.go_ahead.cancel();
        server
    }

    /// A server that takes no changes until its `go_ahead` is cancelled.
    pub async fn held() -> Self {
        let go_ahead = CancellationToken::new();
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(SystemClock);
        let mut options = EngineOptions::new(directory.path().join("data"), clock.clone());
        options.reserve = ByteSize::mib(1).0;
        let (engine, _) = Embedded::open(options).await.unwrap();
        let socket = directory.path().join("admin.sock");
        let api = AdminApi {
            directory: engine.clone(),
            writer: Arc::default(),
            store: engine.clone(),
            queue: engine.clone(),
            administer: engine.clone(),
            return_mail: Arc::new(Return(engine.clone())),
            routing: Arc::new(Reachable(engine.clone())),
            maintenance: Arc::new(Told),
            clock,
            hostname: "mail.example.test".into(),
            message_size: 1 << 20,
            prometheus: None,
            go_ahead: go_ahead.clone(),
        };
        let listener = UnixListener::bind(&socket).unwrap();
        tokio::spawn(concord_admin_api::Server::new(api).serve(listener, std::future::pending()));
        Self { engine, socket, go_ahead, _directory: directory }
    }

    /// A server with an organisation, `example.test`, alice and bob.
    pub async fn with_people() -> Self {
        let server = Self::start().await;
        let (status, _) = server.call("POST", "/v1/directory/bootstrap", &bootstrap()).await;
        assert_eq!(status, 200);
        server
    }

    pub async fn text(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let stream = UnixStream::connect(&self.socket).await.unwrap();
        let (mut send, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .body(Full::new(Bytes::from(body.to_owned())))
            .unwrap();
        let response = send.send_request(request).await.unwrap();
        let status = response.status().as_u16();
        let octets = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(octets.to_vec()).unwrap())
    }

    /// Posts, and hangs up when the answer begins.
    pub async fn break_off(&self, path: &str, body: &str) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = UnixStream::connect(&self.socket).await.unwrap();
        let length = body.len();
        let request =
            format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'H');
    }

    pub async fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, text) = self.text(method, path, &body).await;
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, value) = self.call("GET", path, &Value::Null).await;
        assert_eq!(status, 200, "{path}: {value}");
        value
    }
}

pub fn bootstrap() -> Value {
    serde_json::json!({
        "organisation": "Example", "site": "First", "server": "mail",
        "domain": "example.test",
        "mailboxes": [
            { "name": "alice", "password": "demo", "display_name": "Alice" },
            { "name": "bob" },
        ],
    })
}
