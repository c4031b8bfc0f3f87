//! A core on two sockets, on a runtime of its own so that it can be killed.

use crate::foreign::Foreign;
use concord_address::{AddressType, TypedAddress};
use concord_admin_api::RelayQuestion;
use concord_admin_api::wire::{
    RelayView, SyncBegun, SyncCounts, SyncPlans, SyncRun, SyncState, SyncStatus,
};
use concord_admin_api::{
    AdminApi, ConnectorAccess, Maintenance, MaintenanceTask, Outcome, Progress, ReturnMail,
    RoutingState, Server,
};
use concord_base::{ByteSize, MessageId, StorageError, SystemClock};
use concord_connector::{CoreApi, TOKEN_KEY_OCTETS, Tokens};
use concord_directory::{
    Contact, Details, Directory, DirectoryAct, DirectoryError, Kind, Mailbox, NewObject, Object,
    Proxy, Routes, Situation,
};
use concord_directory::{Resolution, resolve};
use concord_engine::{Embedded, EngineOptions};
use concord_rules::{Facts, Identity, People, Verdict, judge};
use concord_transport::TransportError;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::Runtime;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

struct Nothing(Arc<Embedded>);

#[async_trait::async_trait]
impl ReturnMail for Nothing {
    async fn return_to_sender(&self, _: MessageId) -> Result<(), TransportError> {
        Err(TransportError::NoRecipients)
    }
}

#[async_trait::async_trait]
impl RoutingState for Nothing {
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

#[async_trait::async_trait]
impl Maintenance for Nothing {
    async fn run(
        &self,
        _: MaintenanceTask,
        _: tokio::sync::mpsc::Sender<Progress>,
    ) -> Result<Outcome, StorageError> {
        Ok(Outcome::default())
    }
}

struct Core {
    runtime: Runtime,
    engine: Arc<Embedded>,
    server: Server,
}

pub struct Machine {
    core: Option<Core>,
    directory: tempfile::TempDir,
    /// Connectors' processes end with the machine.
    processes: Vec<JoinHandle<()>>,
}

fn tokens() -> Tokens {
    Tokens::new([7; TOKEN_KEY_OCTETS])
}

fn options(path: &Path) -> EngineOptions {
    let mut options = EngineOptions::new(path.join("data"), Arc::new(SystemClock));
    options.reserve = ByteSize::mib(1).0;
    options
}

async fn serve(path: PathBuf) -> (Arc<Embedded>, Server) {
    let until = Instant::now() + Duration::from_secs(20);
    let engine = loop {
        // The one before may still be on its way down.
        match Embedded::open(options(&path)).await {
            Ok((engine, _)) => break engine,
            Err(error) if Instant::now() > until => panic!("{error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let go_ahead = CancellationToken::new();
    go_ahead.cancel();
    let server = Server::new(AdminApi {
        writer: Arc::default(),
        directory: engine.clone(),
        store: engine.clone(),
        queue: engine.clone(),
        administer: engine.clone(),
        return_mail: Arc::new(Nothing(engine.clone())),
        routing: Arc::new(Nothing(engine.clone())),
        maintenance: Arc::new(Nothing(engine.clone())),
        clock: Arc::new(SystemClock),
        hostname: "mail.example.test".into(),
        message_size: 1 << 20,
        prometheus: None,
        go_ahead,
    });
    for name in ["admin.sock", "api.sock"] {
        let _ = std::fs::remove_file(path.join(name));
    }
    let admin = UnixListener::bind(path.join("admin.sock")).unwrap();
    let api = UnixListener::bind(path.join("api.sock")).unwrap();
    tokio::spawn(server.clone().serve(admin, std::future::pending()));
    let access = ConnectorAccess::new(tokens());
    tokio::spawn(server.clone().serve_connectors(api, access, std::future::pending()));
    (engine, server)
}

impl Machine {
    /// A core with an organisation, and connectors of these names to GroupWise.
    pub async fn new() -> Self {
        let mut machine =
            Self { core: None, directory: tempfile::tempdir().unwrap(), processes: Vec::new() };
        machine.start().await;
        let bootstrap = json!({
            "organisation": "Example", "site": "First", "server": "mail", "domain": "example.test",
        });
        machine.must("POST", "/v1/directory/bootstrap", &bootstrap).await;
        let generator =
            json!({ "name": "GWISE", "component": "groupwise", "rule": "EXCHANGE.FIRST.%m" });
        machine.must("POST", "/v1/generators", &generator).await;
        machine
    }

    /// A core and a foreign system behind the connector `gw`.
    pub async fn with_groupwise() -> (Self, Foreign) {
        let mut machine = Self::new().await;
        let foreign = machine.connector("gw", json!({})).await;
        (machine, foreign)
    }

    pub async fn connector(&mut self, name: &str, settings: Value) -> Foreign {
        let new = json!({ "name": name, "component": "groupwise", "settings": settings });
        self.must("POST", "/v1/connectors", &new).await;
        let foreign = Foreign::default();
        self.processes.push(foreign.connect(self.api(name)));
        foreign
    }

    pub fn api(&self, name: &str) -> CoreApi {
        CoreApi::new(self.directory.path().join("api.sock"), name, tokens().of(name))
    }

    pub async fn start(&mut self) {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.unwrap();
        let path = self.directory.path().to_owned();
        let (engine, server) = runtime.spawn(serve(path)).await.unwrap();
        self.core = Some(Core { runtime, engine, server });
    }

    /// Kills the core: nothing of it has time to end what it does.
    pub fn kill(&mut self) {
        let core = self.core.take().unwrap();
        core.runtime.shutdown_background();
    }

    pub fn engine(&self) -> &Arc<Embedded> {
        &self.core.as_ref().unwrap().engine
    }

    pub fn server(&self) -> &Server {
        &self.core.as_ref().unwrap().server
    }

    pub async fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let socket = self.directory.path().join("admin.sock");
        let stream = UnixStream::connect(socket).await.unwrap();
        let (mut send, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        let response = send.send_request(request).await.unwrap();
        let status = response.status().as_u16();
        let octets = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&octets).unwrap_or(Value::Null))
    }

    pub async fn must(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, value) = self.call(method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path} {body}: {value}");
        value
    }

    pub async fn set(&self, connector: &str, settings: Value) {
        let patch = json!({ "settings": settings });
        self.must("PATCH", &format!("/v1/connectors/{connector}"), &patch).await;
    }

    pub async fn begin(&self, connector: &str, options: Value) -> SyncBegun {
        let path = format!("/v1/connectors/{connector}/sync");
        serde_json::from_value(self.must("POST", &path, &options).await).unwrap()
    }

    pub async fn status(&self, connector: &str) -> SyncStatus {
        let path = format!("/v1/connectors/{connector}/sync");
        serde_json::from_value(self.must("GET", &path, &Value::Null).await).unwrap()
    }

    /// Waits for the end of a run.
    pub async fn end(&self, connector: &str, run: u64) -> SyncRun {
        let until = Instant::now() + Duration::from_secs(90);
        loop {
            let status = self.status(connector).await;
            if let Some(run) = status.runs.into_iter().find(|ended| ended.id == run) {
                return run;
            }
            assert!(Instant::now() < until, "run {run} does not end: {:?}", status.current);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A run to its end, whatever that is.
    pub async fn run(&self, connector: &str, options: Value) -> SyncRun {
        let begun = self.begin(connector, options).await;
        self.end(connector, begun.run.id).await
    }

    /// A run that comes to its end.
    pub async fn sync(&self, connector: &str, options: Value) -> SyncRun {
        let run = self.run(connector, options).await;
        assert_eq!(run.state, SyncState::Done, "{run:?}");
        run
    }

    pub async fn import(&self, connector: &str) -> SyncCounts {
        self.sync(connector, json!({ "import": true })).await.import.unwrap()
    }

    pub async fn export(&self, connector: &str) -> SyncCounts {
        self.sync(connector, json!({ "export": true })).await.export.unwrap()
    }

    pub async fn plans(&self, connector: &str) -> SyncPlans {
        let path = format!("/v1/connectors/{connector}/sync/plan");
        serde_json::from_value(self.must("GET", &path, &Value::Null).await).unwrap()
    }

    /// Codes of the notices of a connector.
    pub async fn notices(&self, connector: &str) -> Vec<String> {
        let view = self.must("GET", &format!("/v1/connectors/{connector}"), &Value::Null).await;
        let notices = view["notices"].as_array().cloned().unwrap_or_default();
        notices.iter().map(|notice| notice["code"].as_str().unwrap().to_owned()).collect()
    }

    pub async fn contacts(&self) -> Vec<Arc<Object>> {
        self.engine().list(Kind::Contact).await.unwrap()
    }

    pub async fn contact(&self, name: &str) -> Arc<Object> {
        self.engine().find(Kind::Contact, name).await.unwrap().unwrap()
    }

    /// The position of the last change of a directory object.
    pub async fn position(&self) -> u64 {
        let (mut last, mut after) = (0, 0);
        loop {
            let changes = self.engine().directory_changes(after, 10_000).await.unwrap();
            last = changes.objects.iter().map(|o| o.usn).fold(last, u64::max);
            last = changes.removed.iter().map(|r| r.usn).fold(last, u64::max);
            after = changes.up_to;
            if !changes.more {
                return last;
            }
        }
    }

    pub async fn change(&self, act: DirectoryAct) -> Arc<Object> {
        self.engine().change(act).await.unwrap()
    }

    /// Changes a mailbox as an administrator would.
    pub async fn edit(&self, name: &str, patch: Value) {
        self.must("PATCH", &format!("/v1/mailboxes/{name}"), &patch).await;
    }

    pub async fn mailboxes(&self, count: usize) {
        for chunk in (0..count).collect::<Vec<_>>().chunks(1_000) {
            let mut adding = JoinSet::new();
            for n in chunk {
                let (engine, new) = (self.engine().clone(), mailbox(&format!("person{n:05}")));
                adding.spawn(async move { engine.change(DirectoryAct::Add(new)).await.unwrap() });
            }
            adding.join_all().await;
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        for process in &self.processes {
            process.abort();
        }
        if let Some(core) = self.core.take() {
            core.runtime.shutdown_background();
        }
    }
}

pub fn mailbox(name: &str) -> NewObject {
    let smtp = TypedAddress::new(&AddressType::smtp(), &format!("{name}@example.test")).unwrap();
    let foreign: TypedAddress = format!("GWISE:EXCHANGE.FIRST.{name}").parse().unwrap();
    NewObject {
        display_name: format!("Display of {name}"),
        proxies: vec![
            Proxy { address: smtp, primary: true },
            Proxy { address: foreign, primary: true },
        ],
        ..NewObject::new(name, Details::Mailbox(Mailbox::default()))
    }
}

pub fn contact(name: &str, target: &str) -> NewObject {
    let details = Details::Contact(Contact { target: target.parse().unwrap() });
    NewObject { display_name: name.to_owned(), ..NewObject::new(name, details) }
}
