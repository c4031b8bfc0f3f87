//! The commands over the admin API, run as an administrator runs them, against
//! the API and the embedded engine.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

use concord_admin_api::{
    AdminApi, Maintenance, MaintenanceTask, Outcome, Progress, ReturnMail, serve,
};
use concord_base::{MessageId, QueueId, StorageError, SystemClock, Timestamp};
use concord_directory::{Connector, Details, Directory, DirectoryAct, Generator, NewObject};
use concord_engine::{Embedded, EngineOptions};
use concord_store::Body;
use concord_transport::{
    Administer, Answer, AnswerOutcome, Arrival, Destination, EnvelopeOptions, Notify, PeerAnswer,
    Queue, QueueAct, ReversePath, RoutedRecipient, Submission, TransportError,
};
use std::collections::HashSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};

struct Core {
    root: tempfile::TempDir,
    engine: Option<Arc<Embedded>>,
    stop: Option<oneshot::Sender<()>>,
    runtime: Runtime,
}

/// The core writes a report besides; the removal is what the command sees.
struct Return(Arc<Embedded>);

#[async_trait::async_trait]
impl ReturnMail for Return {
    async fn return_to_sender(&self, message: MessageId) -> Result<(), TransportError> {
        self.0.act_on_queued(message, QueueAct::Delete).await
    }
}

/// Finds one thing when it verifies.
struct Finds;

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

fn at_once() -> tokio_util::sync::CancellationToken {
    let go_ahead = tokio_util::sync::CancellationToken::new();
    go_ahead.cancel();
    go_ahead
}

impl Core {
    fn start() -> Self {
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
        let api = AdminApi {
            directory: engine.clone(),
            store: engine.clone(),
            queue: engine.clone(),
            administer: engine.clone(),
            return_mail: Arc::new(Return(engine.clone())),
            maintenance: Arc::new(Finds),
            clock,
            hostname: "mail.example.test".into(),
            message_size: 1 << 20,
            prometheus: None,
            go_ahead: at_once(),
        };
        let socket = root.path().join("run/admin.sock");
        let (stop, stopped) = oneshot::channel();
        runtime.spawn(async move {
            let listener = tokio::net::UnixListener::bind(socket).unwrap();
            serve(listener, api, async { drop(stopped.await) }).await
        });
        let core = Self { root, engine: Some(engine), stop: Some(stop), runtime };
        core.wait_until_served();
        core
    }

    fn wait_until_served(&self) {
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

    fn stop(mut self) -> tempfile::TempDir {
        let _ = self.stop.take().unwrap().send(());
        drop(self.engine.take());
        self.runtime.shutdown_timeout(std::time::Duration::from_secs(10));
        self.root
    }

    fn run(&self, args: &[&str]) -> Ran {
        concord(self.root.path(), args, "")
    }

    fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.err);
        ran.out
    }

    /// Adds what Setup adds.
    fn add(&self, new: NewObject) {
        let engine = self.engine.as_ref().unwrap();
        self.runtime.block_on(engine.change(DirectoryAct::Add(new))).unwrap();
    }

    fn people(&self) {
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

    fn send(&self, to: &str) -> QueueId {
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
        };
        let engine = self.engine.as_ref().unwrap();
        QueueId(self.runtime.block_on(engine.take_in(submission)).unwrap())
    }

    /// A connector that claims everything and answers the same.
    fn answer(&self, outcome: &AnswerOutcome, text: &str) {
        let engine = self.engine.as_ref().unwrap().clone();
        self.runtime.block_on(async {
            let late = Timestamp::from_seconds(4_000_000_000);
            let claims =
                engine.claim("internet-mail", late, &HashSet::new(), 100, true).await.unwrap();
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

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn concord(root: &Path, args: &[&str], stdin: &str) -> Ran {
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

#[test]
fn mailboxes_contacts_lists_and_domains() {
    let core = Core::start();
    core.people();
    let table = core.ok(&["mailbox", "list"]);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines[0], "NAME   DISPLAY NAME  ADDRESS             LOGIN");
    assert_eq!(lines[1], "alice  alice         alice@example.test  yes");
    core.ok(&[
        "mailbox",
        "set",
        "alice",
        "--quota",
        "2 GiB",
        "--primary-address",
        "a.smith@example.test",
    ]);
    let shown = core.ok(&["mailbox", "show", "alice@example.test"]);
    assert!(shown.contains("a.smith@example.test  (primary)"), "{shown}");
    assert!(shown.contains("quota          2 GiB"), "{shown}");
    core.ok(&["mailbox", "set", "alice", "--no-password", "--disable-login"]);
    assert!(core.ok(&["mailbox", "list"]).contains("disabled"));
    core.ok(&["contact", "add", "carol", "--target", "carol@elsewhere.test"]);
    core.ok(&["list", "add", "team", "--member", "alice", "--member", "carol"]);
    core.ok(&["list", "add-member", "team", "bob@example.test"]);
    core.ok(&["list", "set", "team", "--remove-member", "alice", "--display-name", "The Team"]);
    let team: serde_json::Value =
        serde_json::from_str(&core.ok(&["list", "show", "team", "--json"])).unwrap();
    let members: Vec<_> =
        team["members"].as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap()).collect();
    assert_eq!(members, ["bob", "carol"]);
    let kept = core.run(&["domain", "remove", "example.test"]);
    assert_eq!(kept.code, 1, "{}", kept.out);
    let refused = core.run(&["mailbox", "remove", "bob"]);
    assert!(refused.code == 1 && refused.err.contains("--yes"), "{}", refused.err);
    core.ok(&["mailbox", "remove", "bob", "--yes"]);
    assert!(!core.ok(&["mailbox", "list"]).contains("bob"));
}

#[test]
fn errors_say_what_to_do() {
    let core = Core::start();
    core.people();
    let taken = core.run(&["mailbox", "add", "alice", "--no-password"]);
    assert_eq!((taken.code, taken.out.as_str()), (1, ""));
    assert_eq!(
        taken.err,
        "concord: there is a mailbox 'alice' already; choose another name, or change that one with 'concord mailbox set alice'\n"
    );
    let foreign = core.run(&["mailbox", "add", "x", "--no-password", "--address", "x@other.test"]);
    assert!(foreign.err.contains("concord domain add other.test"), "{}", foreign.err);
    let unnamed = core.run(&["mailbox", "show", ""]);
    assert_eq!(unnamed.code, 2, "{}", unnamed.err);
    for (refused, advice) in [
        (&["mailbox", "show", "nobody"][..], "'concord mailbox list'"),
        (&["domain", "remove", "example.test"], "who has an address in example.test"),
        (&["domain", "add", "no domain"], "write one like"),
        (&["contact", "add", "x", "--target", "no address"], "write one like"),
        (&["list", "add", "x", "--member", "nobody"], "'concord contact list'"),
        (&["mailbox", "set", "bob", "--remove-address", "x@example.test"], "addresses that it has"),
        (&["queue", "show", "17"], "'concord queue list'"),
        (&["trace", "17"], "check the spelling"),
    ] {
        let ran = core.run(refused);
        assert_eq!(ran.code, 1, "{refused:?}");
        assert!(ran.err.contains(advice), "{refused:?}: {}", ran.err);
    }
    let json = core.run(&["mailbox", "show", "nobody", "--json"]);
    let error: serde_json::Value = serde_json::from_str(&json.err).unwrap();
    assert_eq!(error["code"], "directory.not-found");
    let prompt = core.run(&["mailbox", "add", "y"]);
    assert!(prompt.err.contains("--password-stdin"), "{}", prompt.err);
    assert_eq!(core.run(&["mailbox", "set", "alice"]).code, 2);
    let nobody = concord(Path::new("/nonexistent"), &["queue", "list"], "");
    assert_eq!(nobody.code, 69);
    assert!(nobody.err.contains("start it with 'concord up'"), "{}", nobody.err);
}

#[test]
fn the_queue_is_listed_shown_and_acted_on() {
    let core = Core::start();
    core.people();
    assert_eq!(core.ok(&["queue", "list"]), "nothing waits\n");
    let first = core.send("carol@elsewhere.test").to_string();
    let second = core.send("dave@other.test").to_string();
    let next_attempt = Timestamp::from_seconds(1_790_000_600);
    core.answer(
        &AnswerOutcome::Deferred { next_attempt, delay_reported: false },
        "come\r\n\u{1b}back later",
    );
    let table = core.ok(&["queue", "list"]);
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(table.contains(&first) && table.contains("2026-09-21 14:23:20"), "{table}");
    assert!(
        table.contains("mx.elsewhere.test [192.0.2.9]: 451 4.7.1 come")
            && !table.contains('\u{1b}'),
        "{table}"
    );
    let one = core.ok(&["queue", "list", "--domain", "other.test"]);
    assert!(one.contains(&second) && !one.contains(&first), "{one}");
    let shown = core.ok(&["queue", "show", &first]);
    assert!(shown.contains("logged in as alice") && shown.contains("carol@elsewhere.test"));
    assert_eq!(core.ok(&["queue", "hold", &first, &second]), "2 messages held\n");
    assert_eq!(core.ok(&["queue", "list", "--held"]).lines().count(), 3);
    let mixed = core.run(&["queue", "delete", "--sender", "x@y.test"]);
    assert_eq!(mixed.code, 2, "filters alone do nothing: {}", mixed.out);
    let none = core.ok(&["queue", "list", "--sender", "x@y.test"]);
    assert_eq!(none, "nothing that waits fits the filters\n");
    let some = core.run(&["queue", "hold", &first, "Qbad", &second]);
    assert_eq!((some.code, some.out.as_str()), (1, "2 messages held\n"));
    assert!(some.err.contains("Qbad: 'Qbad' is not a queue id"), "{}", some.err);
    let released = core.ok(&["queue", "release", "--all", "--recipient", "DAVE@other.test"]);
    assert_eq!(released, "1 message released\n");
    assert_eq!(core.ok(&["queue", "return", &second]), "1 message returned\n");
    assert_eq!(core.ok(&["queue", "delete", "--all"]), "1 message deleted\n");
    let gone = core.run(&["queue", "show", &first]);
    assert!(gone.err.contains("concord trace"), "{}", gone.err);
}

#[test]
fn a_quarantined_message_is_listed_with_its_evidence() {
    let core = Core::start();
    core.people();
    let id = core.send("carol@elsewhere.test").to_string();
    for _ in 0..3 {
        let next_attempt = Timestamp::from_seconds(1_790_000_001);
        core.answer(&AnswerOutcome::Crashed { next_attempt }, "internet-mail died, signal 11");
    }
    let table = core.ok(&["queue", "list", "--quarantined"]);
    let row = table.lines().nth(1).unwrap_or_else(|| panic!("{table}"));
    assert!(row.starts_with(&id) && row.contains("quarantined"), "{table}");
    assert!(row.contains("  3  ") && row.contains("signal 11"), "{table}");
    core.ok(&["queue", "release", &id]);
    let none = core.ok(&["queue", "list", "--quarantined"]);
    assert_eq!(none, "nothing that waits fits the filters\n");
}

#[test]
fn a_trace_tells_the_whole_story_in_order() {
    let core = Core::start();
    core.people();
    let id = core.send("carol@elsewhere.test").to_string();
    let next_attempt = Timestamp::from_seconds(1_790_000_600);
    core.answer(
        &AnswerOutcome::Deferred { next_attempt, delay_reported: false },
        "come back later",
    );
    core.answer(&AnswerOutcome::Delivered, "taken as 4711");
    for about in [id.as_str(), "<plans.carol@elsewhere.test>", "carol@elsewhere.test"] {
        let told = core.ok(&["trace", about]);
        let place = |words: &str| told.find(words).unwrap_or_else(|| panic!("{words}: {told}"));
        assert!(place("received") < place("deferred"));
        assert!(place("come back later") < place("taken as 4711"));
        assert!(place("  delivered  ") < place("taken as 4711"));
        assert!(!told.contains('\u{1b}'));
    }
    let stories: serde_json::Value =
        serde_json::from_str(&core.ok(&["trace", &id, "--json"])).unwrap();
    assert_eq!(stories[0]["queue_id"], id.as_str());
    for unknown in [&["trace", "nobody@x.test"][..], &["trace", "nobody@x.test", "--json"]] {
        let ran = core.run(unknown);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{}", ran.err);
    }
}

#[test]
fn the_store_is_verified_with_and_without_a_core() {
    let core = Core::start();
    core.people();
    core.send("carol@elsewhere.test");
    let online = core.run(&["store", "verify"]);
    assert_eq!(online.code, 1, "findings fail: {}", online.out);
    assert_eq!(online.out, "0000.seg: a checksum does not fit [store.damage]\nVerify ended\n");
    assert_eq!(core.ok(&["store", "compact"]), "Compact ended\n");
    let root = core.stop();
    let offline = concord(root.path(), &["store", "verify"], "");
    assert_eq!(offline.code, 0, "{}{}", offline.out, offline.err);
    assert!(offline.out.contains("no damage"), "{}", offline.out);
    let rebuilt = concord(root.path(), &["store", "rebuild"], "");
    assert_eq!(rebuilt.code, 0, "{}{}", rebuilt.out, rebuilt.err);
    assert!(rebuilt.out.contains("made anew"), "{}", rebuilt.out);
    assert_eq!(concord(root.path(), &["store", "compact"], "").code, 69);
}

#[test]
fn connectors_are_shown_changed_and_switched() {
    let core = Core::start();
    core.people();
    assert_eq!(core.ok(&["connector", "list"]), "there are none\n");
    core.add(NewObject {
        name: "webhook".into(),
        display_name: "Webhook".into(),
        proxies: Vec::new(),
        details: Details::Connector(Connector {
            component: "webhook".into(),
            enabled: true,
            address_spaces: vec!["HOOK:*".parse().unwrap()],
            settings: serde_json::Map::new(),
        }),
    });
    let set = ["connector", "set", "webhook", "--address-space", "SMTP:*.hook.test", "--cost", "7"];
    let settings = ["--setting", "url=http://127.0.0.1/x?a=b", "--setting", "tries=3"];
    assert_eq!(core.ok(&[&set[..], &settings].concat()), "connector webhook: changed\n");
    let secret = ["connector", "set", "webhook", "--setting-stdin", "token"];
    let ran = concord(core.root.path(), &secret, "s3cret\n");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let shown = core.ok(&["connector", "show", "webhook"]);
    for words in ["SMTP:*.hook.test  (cost 7)", "tries = 3", "url = http://127.0.0.1/x?a=b"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(shown.contains("token = (hidden)") && !shown.contains("s3cret"), "{shown}");
    assert!(core.ok(&["connector", "show", "webhook", "--secrets"]).contains("s3cret"));
    let remove = ["connector", "set", "webhook", "--remove-address-space", "hook:*"];
    core.ok(&[&remove[..], &["--remove-setting", "tries"]].concat());
    core.ok(&["connector", "disable", "webhook"]);
    let table = core.ok(&["connector", "list"]);
    let row = table.lines().nth(1).unwrap_or_else(|| panic!("{table}"));
    assert!(row.contains("disabled") && row.ends_with("  SMTP:*.hook.test"), "{table}");
    core.ok(&["connector", "enable", "webhook"]);
    let listed = core.ok(&["connector", "list", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["enabled"], true);
    assert_eq!(listed[0]["settings"]["tries"], serde_json::Value::Null);
    let nothing = core.run(&["connector", "set", "webhook"]);
    assert_eq!(nothing.code, 2, "{}", nothing.err);
    let wrong = core.run(&["connector", "set", "webhook", "--address-space", "SMTP:*x"]);
    assert!(wrong.code == 2 && wrong.err.contains("a '*' stands alone"), "{}", wrong.err);
    let unknown = core.run(&["connector", "show", "other"]);
    assert!(unknown.err.contains("'concord connector list'"), "{}", unknown.err);
}

#[test]
fn generators_are_listed_changed_and_used() {
    let core = Core::start();
    core.people();
    core.add(NewObject {
        name: "HOOK".into(),
        display_name: "HOOK".into(),
        proxies: Vec::new(),
        details: Details::Generator(Generator { component: "webhook".into(), rule: "%g".into() }),
    });
    let table = core.ok(&["generator", "list"]);
    assert!(table.lines().nth(1).is_some_and(|row| row.ends_with("  2")), "{table}");
    let failed = core.run(&["generator", "stamp"]);
    assert!(failed.code == 1 && failed.out.contains("gives nothing for 'alice'"), "{}", failed.out);
    assert_eq!(core.ok(&["generator", "set", "hook", "--rule", "%m"]), "generator HOOK: changed\n");
    let stamped = core.ok(&["generator", "stamp"]);
    assert_eq!(stamped, "2 mailboxes stamped, 0 had every address already\n");
    assert!(core.ok(&["mailbox", "show", "alice"]).contains("HOOK:alice"));
}
