//! The commands over the admin API, run as an administrator runs them, against
//! the API and the embedded engine.

#![allow(dead_code)] // each test binary uses its own part

use concord_address::TypedAddress;
use concord_admin_api::RelayQuestion;
use concord_admin_api::wire::RelayView;
use concord_admin_api::{
    AdminApi, Maintenance, MaintenanceTask, Outcome, Progress, ReturnMail, RoutingState,
};
use concord_base::{MessageId, QueueId, StorageError, SystemClock, Timestamp};
use concord_directory::{
    Directory, DirectoryAct, DirectoryError, Kind, NewObject, Object, Routes, Situation,
};
use concord_directory::{Resolution, resolve};
use concord_engine::{Embedded, EngineOptions};
use concord_rules::{Facts, Identity, People, Verdict, judge};
use concord_store::Body;
use concord_transport::{
    Administer, Answer, AnswerOutcome, Arrival, ClaimLimits, Destination, EnvelopeOptions, Notify,
    PeerAnswer, Queue, QueueAct, ReversePath, RoutedRecipient, Submission, TransportError,
};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};

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

pub struct Core {
    pub root: tempfile::TempDir,
    pub engine: Option<Arc<Embedded>>,
    pub stop: Option<oneshot::Sender<()>>,
    pub runtime: Runtime,
}

/// The core writes a report besides; the removal is what the command sees.
pub struct Return(Arc<Embedded>);

#[async_trait::async_trait]
impl ReturnMail for Return {
    async fn return_to_sender(&self, message: MessageId) -> Result<(), TransportError> {
        self.0.act_on_queued(message, QueueAct::Delete).await
    }
}

/// Finds one thing when it verifies.
pub struct Finds;

#[async_trait::async_trait]
impl Maintenance for Finds {
    async fn run(
        &self,
        task: MaintenanceTask,
        progress: mpsc::Sender<Progress>,
    ) -> Result<Outcome, StorageError> {
        let verify = task == MaintenanceTask::Verify;
        if verify {
            let found = Progress::Finding {
                code: "store.damage".into(),
                place: "0000.seg".into(),
                what: "a checksum does not fit".into(),
            };
            progress.send(found).await.map_err(|_| StorageError::Stopping)?;
        }
        let summary = format!("{task:?} ended");
        Ok(Outcome { summary, findings: u64::from(verify), ..Outcome::default() })
    }
}

impl Core {
    pub fn start() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("run")).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let clock = Arc::new(SystemClock);
        let mut options = EngineOptions::new(root.path().join("data"), clock.clone());
        options.reserve = 1 << 20;
        let (engine, _) = runtime.block_on(Embedded::open(options)).unwrap();
        let go_ahead = tokio_util::sync::CancellationToken::new();
        go_ahead.cancel();
        let api = AdminApi {
            go_ahead,
            directory: engine.clone(),
            writer: Arc::default(),
            store: engine.clone(),
            queue: engine.clone(),
            administer: engine.clone(),
            return_mail: Arc::new(Return(engine.clone())),
            routing: Arc::new(Reachable(engine.clone())),
            maintenance: Arc::new(Finds),
            clock,
            hostname: "mail.example.test".into(),
            message_size: 1 << 20,
            prometheus: None,
        };
        let socket = root.path().join("run/admin.sock");
        let (stop, stopped) = oneshot::channel();
        runtime.spawn(async move {
            let listener = tokio::net::UnixListener::bind(socket).unwrap();
            concord_admin_api::Server::new(api).serve(listener, async { drop(stopped.await) }).await
        });
        let core = Self { root, engine: Some(engine), stop: Some(stop), runtime };
        core.wait_until_served();
        core
    }

    pub fn wait_until_served(&self) {
        for _ in 0..500 {
            if std::os::unix::net::UnixStream::connect(self.root.path().join("run/admin.sock"))
                .is_ok()
            {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("the API did not come up");
    }

    pub fn stop(mut self) -> tempfile::TempDir {
        let _ = self.stop.take().unwrap().send(());
        drop(self.engine.take());
        self.runtime.shutdown_timeout(std::time::Duration::from_secs(10));
        self.root
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        concord(self.root.path(), args, "")
    }

    pub fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.err);
        ran.out
    }

    /// Adds what Setup adds.
    pub fn add(&self, new: NewObject) {
        let engine = self.engine.as_ref().unwrap();
        self.runtime.block_on(engine.change(DirectoryAct::Add(new))).unwrap();
    }

    pub fn people(&self) {
        self.ok(&["domain", "add", "example.test"]);
        for name in ["alice", "bob"] {
            let ran = concord(
                self.root.path(),
                &["mailbox", "add", name, "--password-stdin"],
                "secret of somebody\n",
            );
            assert_eq!(ran.code, 0, "{}", ran.err);
        }
    }

    pub fn send(&self, to: &str) -> QueueId {
        let submission = Submission {
            arrival: Arrival {
                connector: "internet-mail".into(),
                client: Some("192.0.2.7".into()),
                login: Some("alice".into()),
                ..Arrival::default()
            },
            received: Timestamp::from_seconds(1_790_000_000),
            sender: ReversePath(Some("alice@example.test".parse().unwrap())),
            options: EnvelopeOptions::default(),
            recipients: vec![RoutedRecipient {
                reports_to: None,
                filing: None,
                address: to.parse().unwrap(),
                given: to.parse().unwrap(),
                original: None,
                notify: Notify::default(),
                destination: Destination::Connector {
                    connector: "internet-mail".into(),
                    group: to.split_once('@').unwrap().1.into(),
                },
            }],
            header_message_id: format!("plans.{}", to),
            subject: "Plans \u{1b}[2J".into(),
            body: Body::from_bytes("Return-Path: <>\r\nSubject: Plans\r\n\r\nx\r\n"),
            return_path_octets: 17,
            hold: None,
        };
        let engine = self.engine.as_ref().unwrap();
        QueueId(self.runtime.block_on(engine.take_in(submission)).unwrap())
    }

    /// A connector that claims everything and answers the same.
    pub fn answer(&self, outcome: &AnswerOutcome, text: &str) {
        let engine = self.engine.as_ref().unwrap().clone();
        self.runtime.block_on(async {
            let late = Timestamp::from_seconds(4_000_000_000);
            let claims =
                engine.claim("internet-mail", late, &ClaimLimits::most(100)).await.unwrap();
            assert!(!claims.is_empty());
            let answers = claims
                .iter()
                .flat_map(|claim| &claim.message.deliveries)
                .map(|delivery| Answer {
                    delivery: delivery.id,
                    outcome: outcome.clone(),
                    reported_to: None,
                    answer: Some(PeerAnswer {
                        code: 451,
                        status: (4, 7, 1),
                        host: Some("mx.elsewhere.test [192.0.2.9]".into()),
                        text: text.into(),
                    }),
                })
                .collect();
            engine.answer(answers, Vec::new()).await.unwrap();
        });
    }
}

pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

pub fn concord(root: &Path, args: &[&str], stdin: &str) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_concord"))
        .arg("--root")
        .arg(root)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read is gone before it is written to.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let out = child.wait_with_output().unwrap();
    Ran {
        code: out.status.code().unwrap(),
        out: String::from_utf8(out.stdout).unwrap(),
        err: String::from_utf8(out.stderr).unwrap(),
    }
}
