//! A server on a socket in a directory of its own, and a client.

use concord_admin_api::{
    AdminApi, Maintenance, MaintenanceTask, Outcome, Progress, ReturnMail, serve,
};
use concord_base::{ByteSize, MessageId, StorageError, SystemClock};
use concord_engine::{Embedded, EngineOptions};
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
            store: engine.clone(),
            queue: engine.clone(),
            administer: engine.clone(),
            return_mail: Arc::new(Return(engine.clone())),
            maintenance: Arc::new(Told),
            clock,
            hostname: "mail.example.test".into(),
            message_size: 1 << 20,
            prometheus: None,
            go_ahead: go_ahead.clone(),
        };
        let listener = UnixListener::bind(&socket).unwrap();
        tokio::spawn(serve(listener, api, std::future::pending()));
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
