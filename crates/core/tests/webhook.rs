//! The example of a connector in another language, `examples/webhook`: its own
//! tests, and mail through it from a core and back.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

mod common;

use command_fds::{CommandFdExt, FdMapping};
use common::{Core, tokens};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A process knows its id first, and keeps it when it becomes the connector.
const LAUNCH: &str = "import os, sys; os.environ['LISTEN_PID'] = str(os.getpid()); \
                      os.execv(sys.executable, [sys.executable, sys.argv[1]])";

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/webhook")
}

#[test]
fn the_examples_own_tests_pass() {
    let ran = Command::new("python3")
        .args(["-W", "error::ResourceWarning", "-m", "unittest"])
        .current_dir(example())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

/// An HTTP server that keeps what it gets, and answers as it is told.
struct Endpoint {
    address: SocketAddr,
    status: Arc<AtomicU16>,
    got: Arc<Mutex<Vec<Value>>>,
}

impl Endpoint {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (status, got) = (Arc::new(AtomicU16::new(200)), Arc::default());
        let endpoint = Self { address, status: Arc::clone(&status), got: Arc::clone(&got) };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let (_, body) = read_http(&mut stream);
                got.lock().unwrap().push(serde_json::from_str(&body).unwrap());
                let code = status.load(Ordering::SeqCst);
                write!(stream, "HTTP/1.1 {code} Said\r\nContent-Length: 0\r\n\r\n").unwrap();
            }
        });
        endpoint
    }

    fn wait_for(&self, count: usize) -> Value {
        for _ in 0..500 {
            if let Some(found) = self.got.lock().unwrap().get(count - 1) {
                return found.clone();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the endpoint got {:?}", self.got.lock().unwrap());
    }
}

/// Header and body of a request or an answer.
fn read_http(stream: &mut TcpStream) -> (String, String) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line == "\r\n" || line.is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (head, String::from_utf8(body).unwrap())
}

/// The connector as the controller starts it.
struct Connector {
    child: Child,
    http: SocketAddr,
}

impl Connector {
    fn start(core: &Core) -> Self {
        let deliver = UnixListener::bind(core.path("deliver-webhook.sock")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let http = listener.local_addr().unwrap();
        let notify = UnixDatagram::bind(core.path("notify.sock")).unwrap();
        notify.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut command = Command::new("python3");
        command
            .args(["-c", LAUNCH])
            .arg(example().join("webhook.py"))
            .env("CONCORD_CONNECTOR", "webhook")
            .env("CONCORD_API_SOCKET", core.path("api.sock"))
            .env("CONCORD_API_TOKEN", tokens().of("webhook"))
            .env("CONCORD_SUBMIT_SOCKET", core.path("submit.sock"))
            .env("NOTIFY_SOCKET", core.path("notify.sock"))
            .env("LISTEN_FDS", "2")
            .env("LISTEN_FDNAMES", "deliver:http")
            .stdin(Stdio::null());
        let parent_fd = |fd: std::os::fd::OwnedFd, child_fd| FdMapping { parent_fd: fd, child_fd };
        let sockets = vec![parent_fd(deliver.into(), 3), parent_fd(listener.into(), 4)];
        let child = command.fd_mappings(sockets).unwrap().spawn().unwrap();
        let mut news = [0; 256];
        let octets = notify.recv(&mut news).unwrap();
        assert!(news[..octets].starts_with(b"READY=1\n"));
        Self { child, http }
    }

    /// `POST /send`; status and words.
    fn send(&self, wish: &Value) -> (u16, String) {
        let body = wish.to_string();
        let mut stream = TcpStream::connect(self.http).unwrap();
        write!(
            stream,
            "POST /send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer s-token\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let (head, body) = read_http(&mut stream);
        let answer: Value = serde_json::from_str(&body).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer["words"].as_str().unwrap().to_owned())
    }

    fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Connector {
    fn drop(&mut self) {
        // Already gone if it was stopped.
        let _ = self.child.kill();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_to_the_endpoint_and_comes_by_http() {
    let core = Core::start().await;
    let endpoint = Endpoint::start();
    core.api(
        "POST",
        "/v1/directory/bootstrap",
        &json!({
            "organisation": "Example", "site": "First", "server": "mail", "domain": "example.test",
            "mailboxes": [{ "name": "alice" }],
        }),
    )
    .await;
    core.api("POST", "/v1/connectors", &json!({
        "name": "webhook", "component": "webhook",
        "address_spaces": [{ "type": "HOOK", "pattern": "*" }],
        "settings": { "url": format!("http://{}/in", endpoint.address), "send-token": "s-token" },
    }))
    .await;
    core.api(
        "POST",
        "/v1/contacts",
        &json!({
            "name": "orders", "target": "HOOK:orders/new", "addresses": ["orders@example.test"],
        }),
    )
    .await;
    let connector = Connector::start(&core);

    let mut stranger = core.session("mail.example.test").await;
    stranger.send("orders@example.test", "first").await;
    let posted = endpoint.wait_for(1);
    assert_eq!(posted["envelope"]["from"], json!("a@far.test"));
    assert_eq!(posted["envelope"]["address"], json!("HOOK:orders/new"));
    assert_eq!(posted["text"], json!("x\n"));

    endpoint.status.store(503, Ordering::SeqCst);
    stranger.send("orders@example.test", "waits").await;
    let waits = core.wait_queued("waits", |delivery| delivery["attempts"] == 1).await;
    let answer = &waits["deliveries"][0]["last_answer"];
    assert_eq!(answer["host"], json!("127.0.0.1"));
    assert_eq!(answer["text"], json!("HTTP 503 Said"));
    endpoint.status.store(404, Ordering::SeqCst);
    let id = waits["queue_id"].as_str().unwrap();
    core.api("POST", &format!("/v1/queue/{id}/retry"), &Value::Null).await;
    endpoint.wait_for(3);

    let wish = |to: &str| json!({ "from": "hook@far.test", "to": to, "subject": "by HTTP" });
    let (status, words) = connector.send(&wish("alice@example.test"));
    assert!(status == 202 && words.starts_with("2.0.0 queued as Q"), "{status} {words}");
    let (status, words) = connector.send(&wish("nobody@example.test"));
    assert!(status == 422 && words.starts_with("550 5.1.1 "), "{status} {words}");
    let alice = core.api("GET", "/v1/mailboxes/alice", &Value::Null).await;
    assert_eq!(alice["messages"], json!(1));
    // Users of the system behind a connector may send to anyone.
    assert_eq!(connector.send(&wish("someone@elsewhere.test")).0, 202);
    let out = core.wait_queued("by HTTP", |_| true).await;
    assert_eq!(out["arrival"]["connector"], json!("webhook"));
    assert_eq!(out["arrival"]["protocol"], json!("HTTP"));
    connector.stop();
}
