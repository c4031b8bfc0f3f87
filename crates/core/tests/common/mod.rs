//! A core in this process, foreign systems that take its mail, and sessions
//! with it.

#![allow(dead_code)] // each test binary uses its own part

use bytes::Bytes;
use concord_base::{Clock, SystemClock};
use concord_connector::{Deliver, LmtpOptions, Outcome, Tokens, serve_lmtp};
use concord_core::{CoreConfig, CoreSockets, DispatchLimits};
use concord_engine::EngineOptions;
use concord_smtp::{ForwardPath, RcptCommand, Reply, Xforward};
use concord_transport::RetryPolicy;
use serde_json::Value;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;

/// A foreign system that takes everything, but for those who are to come later
/// and those whom nobody knows.
#[derive(Clone, Default)]
struct Taker {
    rcpts: Arc<Mutex<Vec<String>>>,
    /// Whose each message was said to be, and its first recipient.
    sources: Sources,
    source: Option<String>,
    taken: Vec<String>,
}

/// XFORWARD SOURCE of a message, and its first recipient.
pub type Sources = Arc<Mutex<Vec<(Option<String>, String)>>>;

#[async_trait::async_trait]
impl Deliver for Taker {
    async fn forwarded(&mut self, attributes: &Xforward) {
        self.source.clone_from(&attributes.source);
    }
    async fn recipients(&mut self, rcpts: &[RcptCommand]) -> Vec<Outcome> {
        let outcomes = rcpts.iter().map(|rcpt| {
            let ForwardPath::Mailbox(to) = &rcpt.to else { panic!("{rcpt:?}") };
            let to = to.to_string();
            if to.contains("nobody") {
                return Outcome::Own(Reply::new(550, (5, 1, 1), "who?"));
            }
            if to.contains("later") {
                return Outcome::Own(Reply::new(451, (4, 2, 1), "later"));
            }
            self.taken.push(to);
            Outcome::Own(Reply::new(250, (2, 1, 5), "ok"))
        });
        outcomes.collect()
    }
    async fn data(&mut self, _: Bytes) -> Result<(), Outcome> {
        Ok(())
    }
    async fn finish(&mut self) -> Vec<Outcome> {
        let taken = std::mem::take(&mut self.taken);
        let first = taken.first().cloned().unwrap_or_default();
        self.sources.lock().unwrap().push((self.source.clone(), first));
        let outcomes = vec![Outcome::Own(Reply::new(250, (2, 0, 0), "taken")); taken.len()];
        self.rcpts.lock().unwrap().extend(taken);
        outcomes
    }
    async fn reset(&mut self) {
        self.taken.clear();
    }
}

pub struct Core {
    directory: tempfile::TempDir,
}

fn deliver_socket(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("deliver-{name}.sock"))
}

pub fn tokens() -> Tokens {
    Tokens::new([7; 32])
}

fn config(path: &Path) -> CoreConfig {
    let mut engine = EngineOptions::new(path.join("data"), Arc::new(SystemClock));
    engine.reserve = 1 << 20;
    let of_connectors = path.to_owned();
    CoreConfig {
        tokens: tokens(),
        least_cost_only: false,
        removed_retention: Duration::from_secs(86_400),
        go_ahead: go_ahead(),
        hostname: "mail.example.test".into(),
        engine,
        message_size: 1 << 20,
        recipients: 100,
        max_hops: 50,
        sessions: 10,
        proxies: Arc::default(),
        ldap: Default::default(),
        retry: RetryPolicy::default(),
        policy: Arc::new(concord_mail_policy::Live::fixed(Default::default())),
        srs: Arc::new(concord_mail_authentication::SrsFile::new(
            path.join("data/keys/srs"),
            "mail.example.test",
            21,
        )),
        tls: None,
        allow_plaintext_auth: true,
        deliver_socket: Arc::new(move |name| deliver_socket(&of_connectors, name)),
        dispatch: DispatchLimits::default(),
        tracking_retention: Duration::from_secs(86_400),
        compact_below: 50,
        rebuild_marker: path.join("rebuild"),
    }
}

impl Core {
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// With this text as `etc/internet-mail.toml`.
    pub async fn start_with(policy: &str) -> Self {
        Self::start_at(policy, Arc::new(SystemClock)).await
    }

    /// And with this clock.
    pub async fn start_at(policy: &str, clock: Arc<dyn Clock>) -> Self {
        let policy = concord_mail_policy::Policy::parse(policy).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let sockets = CoreSockets {
            submit: vec![UnixListener::bind(path.join("submit.sock")).unwrap()],
            admin: vec![UnixListener::bind(path.join("admin.sock")).unwrap()],
            api: vec![UnixListener::bind(path.join("api.sock")).unwrap()],
            ..CoreSockets::default()
        };
        let mut config = config(path);
        config.engine.clock = clock;
        config.policy = Arc::new(concord_mail_policy::Live::fixed(policy));
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            let ready = || ready.send(()).unwrap();
            concord_core::run(config, sockets, CancellationToken::new(), ready).await.unwrap();
        });
        is_ready.await.unwrap();
        Self { directory }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Listens as this connector; gives back whom it takes mail for.
    pub fn connector(&self, name: &str) -> Arc<Mutex<Vec<String>>> {
        self.connector_with_sources(name).0
    }

    /// The same, with whose the messages were said to be.
    pub fn connector_with_sources(&self, name: &str) -> (Arc<Mutex<Vec<String>>>, Sources) {
        let taker = Taker::default();
        let (rcpts, sources) = (Arc::clone(&taker.rcpts), Arc::clone(&taker.sources));
        self.serve(name, move || taker.clone());
        (rcpts, sources)
    }

    /// Listens as this connector, with a way of delivering of the test's own.
    pub fn serve<D: Deliver + 'static>(
        &self,
        name: &str,
        new_session: impl Fn() -> D + Send + 'static,
    ) {
        let listener = UnixListener::bind(deliver_socket(self.directory.path(), name)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::UnixListener::from_std(listener).unwrap();
        let options =
            LmtpOptions { hostname: "hook.test".into(), size_limit: 1 << 20, max_recipients: 100 };
        let never = CancellationToken::new;
        tokio::spawn(serve_lmtp(listener, options, new_session, never(), never()));
    }

    pub async fn api(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let socket = self.directory.path().join("admin.sock");
        let mut stream = UnixStream::connect(socket).await.unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 2"), "{method} {path}: {answer}");
        serde_json::from_str(body).unwrap()
    }

    pub async fn session(&self, hello: &str) -> Session {
        let stream = UnixStream::connect(self.directory.path().join("submit.sock")).await.unwrap();
        let mut session = Session(BufReader::new(stream));
        session.reply().await;
        assert!(session.say(&format!("EHLO {hello}")).await.starts_with("250"));
        session
    }

    /// Waits until the delivery of the message of this subject is so.
    pub async fn wait_queued(&self, subject: &str, is: impl Fn(&Value) -> bool) -> Value {
        let mut last = None;
        for _ in 0..500 {
            let queue = self.api("GET", "/v1/queue", &Value::Null).await;
            let items = queue["items"].as_array().unwrap();
            last = items.iter().find(|message| message["subject"] == subject).cloned();
            if let Some(found) = &last
                && is(&found["deliveries"][0])
            {
                return found.clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{subject} did not come so far: {last:?}");
    }
}

pub struct Session(BufReader<UnixStream>);

impl Session {
    async fn reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).await.unwrap();
            if line.as_bytes()[3] == b' ' {
                return line;
            }
        }
    }

    pub async fn say(&mut self, line: &str) -> String {
        self.0.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        self.reply().await
    }

    /// What RCPT is answered, in a transaction that is given up.
    pub async fn rcpt(&mut self, to: &str) -> String {
        self.say("MAIL FROM:<a@far.test>").await;
        let reply = self.say(&format!("RCPT TO:<{to}>")).await;
        self.say("RSET").await;
        reply
    }

    /// A message with this header field, of who may send to anybody.
    pub async fn send_urgent(&mut self, to: &str, header: &str) {
        assert!(self.say("XFORWARD SOURCE=LOCAL").await.starts_with("250"));
        assert!(self.say("MAIL FROM:<a@far.test>").await.starts_with("250"));
        let reply = self.say(&format!("RCPT TO:<{to}>")).await;
        assert!(reply.starts_with("250"), "{reply}");
        self.say("DATA").await;
        let reply = self.say(&format!("Subject: {to}\r\n{header}\r\n\r\nx\r\n.")).await;
        assert!(reply.starts_with("250"), "{reply}");
    }

    pub async fn send(&mut self, to: &str, subject: &str) {
        assert!(self.say("MAIL FROM:<a@far.test>").await.starts_with("250"));
        let reply = self.say(&format!("RCPT TO:<{to}>")).await;
        assert!(reply.starts_with("250"), "{reply}");
        self.say("DATA").await;
        let reply = self.say(&format!("Subject: {subject}\r\n\r\nx\r\n.")).await;
        assert!(reply.starts_with("250"), "{reply}");
    }
}

pub async fn wait_taken(rcpts: &Mutex<Vec<String>>, expected: &[&str]) {
    for _ in 0..500 {
        let mut found = rcpts.lock().unwrap().clone();
        found.sort();
        if found == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{:?} instead of {expected:?}", rcpts.lock().unwrap());
}

/// Nothing holds it.
fn go_ahead() -> tokio_util::sync::CancellationToken {
    let go_ahead = tokio_util::sync::CancellationToken::new();
    go_ahead.cancel();
    go_ahead
}
