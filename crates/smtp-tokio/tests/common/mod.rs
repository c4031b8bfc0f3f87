//! A server whose handler keeps what it gets.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // in helpers, too, a panic is a failed test
#![allow(dead_code)] // each test file uses its part

use bytes::Bytes;
use concord_smtp::{EtrnCommand, ForwardPath, MailCommand, RcptCommand, Reply, Xforward};
use concord_smtp_tokio::{
    AuthStep, ClientTimeouts, ConnectionInfo, DataReply, Ended, HelloVerb, MaybeTls, Peer,
    ServerProfile, SmtpClient, SmtpHandler, TlsInfo, serve,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio_util::sync::CancellationToken;

/// What ETRN named, and who asked.
type Asked = (String, Option<String>);

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    pub mail: String,
    pub rcpts: Vec<String>,
    pub body: Vec<u8>,
    pub xforward: Option<Xforward>,
}

/// What the handlers of all sessions got.
#[derive(Debug, Clone, Default)]
pub struct Recorder {
    done: Arc<Mutex<Vec<Seen>>>,
    pub ended: Arc<Mutex<Vec<Ended>>>,
    /// Sessions that began.
    pub sessions: Arc<AtomicUsize>,
    tls: Arc<AtomicUsize>,
    /// ETRN lines, and the client of each.
    etrns: Arc<Mutex<Vec<Asked>>>,
}

impl Recorder {
    pub fn last(&self) -> Seen {
        self.done.lock().unwrap().last().cloned().unwrap_or_default()
    }
    pub fn etrns(&self) -> Vec<(String, Option<String>)> {
        self.etrns.lock().unwrap().clone()
    }
    pub fn messages(&self) -> usize {
        self.done.lock().unwrap().len()
    }
    /// Sessions that went under TLS.
    pub fn tls_sessions(&self) -> usize {
        self.tls.load(Ordering::SeqCst)
    }
    pub fn all(&self) -> Vec<Seen> {
        self.done.lock().unwrap().clone()
    }
    pub fn handler(&self) -> Handler {
        self.sessions.fetch_add(1, Ordering::SeqCst);
        Handler { recorder: self.clone(), now: Seen::default() }
    }
}

pub struct Handler {
    recorder: Recorder,
    now: Seen,
}

/// Names with a meaning: `refused` is refused at RCPT, `late-452` in LMTP after
/// the message; messages of `never` do not begin; one with `REFUSE ME` in it is refused while it comes.
#[async_trait::async_trait]
impl SmtpHandler for Handler {
    async fn tls_started(&mut self, _tls: &TlsInfo) {
        self.recorder.tls.fetch_add(1, Ordering::SeqCst);
    }
    async fn xforward(&mut self, attributes: &Xforward) -> Reply {
        self.now.xforward.get_or_insert_default().merge(attributes.clone());
        Reply::new(250, (2, 0, 0), "ok")
    }
    async fn etrn(&mut self, etrn: &EtrnCommand) -> Reply {
        let client = self.now.xforward.as_ref().and_then(|x| x.addr.clone());
        self.recorder.etrns.lock().unwrap().push((etrn.to_string(), client));
        Reply::new(250, (2, 0, 0), "queuing for node started")
    }
    async fn auth(&mut self, mechanism: &str, response: Option<&[u8]>, first: bool) -> AuthStep {
        match (mechanism, response, first) {
            (_, None, true) => AuthStep::Challenge(b"Username:".to_vec()),
            ("PLAIN", Some(b"\0alice\0demo"), _) => {
                AuthStep::Done(Reply::new(235, (2, 7, 0), "authenticated as alice"))
            }
            _ => AuthStep::Refused(Reply::new(535, (5, 7, 8), "wrong name or password")),
        }
    }
    async fn mail(&mut self, mail: &MailCommand) -> Reply {
        self.now.mail = mail.to_string();
        Reply::new(250, (2, 1, 0), "ok")
    }
    async fn rcpt(&mut self, rcpt: &RcptCommand) -> Reply {
        if rcpt.to.address().is_some_and(|a| a.local_part() == "refused") {
            return Reply::new(550, (5, 1, 1), "no such mailbox");
        }
        self.now.rcpts.push(match &rcpt.to {
            ForwardPath::Postmaster => "<postmaster>".into(),
            ForwardPath::Mailbox(a) => format!("<{a}>"),
        });
        Reply::new(250, (2, 1, 5), "ok")
    }
    async fn begin_data(&mut self) -> Result<(), Reply> {
        if self.now.mail.contains("<never@") {
            return Err(Reply::new(451, (4, 3, 1), "not now"));
        }
        Ok(())
    }
    async fn data(&mut self, chunk: Bytes) -> Result<(), Reply> {
        assert!(!chunk.is_empty() && chunk.len() <= 64 * 1024);
        self.now.body.extend_from_slice(&chunk);
        if holds(&self.now.body, b"REFUSE ME") {
            return Err(Reply::new(554, (5, 6, 0), "as you wish"));
        }
        Ok(())
    }
    async fn end_data(&mut self) -> DataReply {
        let seen = std::mem::take(&mut self.now);
        let each = seen.rcpts.iter().map(|r| match r.starts_with("<late-452") {
            true => Reply::new(452, (4, 2, 2), "full"),
            false => Reply::new(250, (2, 6, 0), "taken"),
        });
        let each = each.collect();
        self.recorder.done.lock().unwrap().push(seen);
        DataReply::Each(each)
    }
    async fn reset(&mut self) {
        assert!(!self.now.mail.is_empty(), "reset without a transaction");
        self.now = Seen::default();
    }
    async fn closed(&mut self, how: &Ended) {
        self.recorder.ended.lock().unwrap().push(how.clone());
    }
}

/// Short messages only; it looks at all of it each time.
fn holds(hay: &[u8], needle: &[u8]) -> bool {
    hay.len() < 1000 && hay.windows(needle.len()).any(|w| w == needle)
}

/// Starts a session and gives the client's side of it.
pub fn start(
    profile: ServerProfile,
    recorder: &Recorder,
    tls: Option<tokio_rustls::TlsAcceptor>,
    shutdown: CancellationToken,
) -> DuplexStream {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let mut handler = recorder.handler();
    let connection = ConnectionInfo { peer: Peer::Unix, local: None };
    tokio::spawn(async move {
        let stream = MaybeTls::Plain(theirs);
        serve(stream, connection, Arc::new(profile), tls, &mut handler, shutdown).await
    });
    ours
}

pub async fn client(
    profile: ServerProfile,
    recorder: &Recorder,
    verb: HelloVerb,
) -> SmtpClient<DuplexStream> {
    let stream = start(profile, recorder, None, CancellationToken::new());
    let timeouts = ClientTimeouts::all(Duration::from_secs(10));
    let (mut client, _) = SmtpClient::connect(stream, timeouts).await.unwrap();
    client.hello(verb, "client.example.test").await.unwrap();
    client
}

/// `size` octets of lines, some with leading dots, ending in CRLF.
pub fn message(size: usize) -> Vec<u8> {
    let mut body = Vec::with_capacity(size);
    while body.len() + 2 < size {
        let line = [b".dotted", &b"..twice"[..], b"plain text of a line", b"."][body.len() % 4];
        let room = (size - body.len() - 2).min(line.len());
        body.extend_from_slice(&line[..room]);
        if body.len() + 4 < size || body.len() + 2 == size {
            body.extend_from_slice(b"\r\n");
        }
    }
    if !body.ends_with(b"\r\n") {
        body.extend_from_slice(b"\r\n");
    }
    if size == 0 { Vec::new() } else { body }
}
