//! The service between a core and remote hosts that keep what they get.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // in helpers, too, a panic is a failed test
#![allow(dead_code)] // each test file uses its part

pub mod client;
pub mod dns;
pub mod host;
#[path = "../../../smtp-tokio/tests/common/mod.rs"]
pub mod recorder;

use concord_base::SystemClock;
use concord_internet_mail::{InternetMailConfig, InternetMailError, Sockets, run};
use concord_smtp::{MailCommand, RcptCommand};
use concord_smtp_tokio::{
    ClientTimeouts, ConnectionInfo, HelloVerb, MaybeTls, Mode, Peer, ServerProfile, SmtpClient,
    serve,
};
use recorder::Recorder;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

pub struct World {
    pub dir: TempDir,
    pub core: Recorder,
    pub core_stop: CancellationToken,
    pub smtp: SocketAddr,
    pub submission: SocketAddr,
    /// Under TLS from the first octet; only with a certificate.
    pub submissions: SocketAddr,
    pub stop: CancellationToken,
    pub service: JoinHandle<Result<(), InternetMailError>>,
}

/// Serves sessions of a recorder until it is stopped.
pub async fn serve_one<S>(
    stream: S,
    recorder: Recorder,
    profile: Arc<ServerProfile>,
    tls: Option<TlsAcceptor>,
    stop: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let connection = ConnectionInfo { peer: Peer::Unix, local: None };
    let mut handler = recorder.handler();
    serve(MaybeTls::Plain(stream), connection, profile, tls, &mut handler, stop).await;
}

pub fn start_core(path: &PathBuf, recorder: &Recorder) -> CancellationToken {
    let _ = std::fs::remove_file(path);
    let mut profile = ServerProfile::new("core", Mode::Internal);
    profile.extensions.auth = true;
    profile.extensions.etrn = true;
    profile.mechanisms = vec!["PLAIN".into(), "LOGIN".into(), "SCRAM-SHA-256".into()];
    let profile = Arc::new(profile);
    let listener = tokio::net::UnixListener::bind(path).unwrap();
    let (recorder, stop) = (recorder.clone(), CancellationToken::new());
    let until = stop.clone();
    tokio::spawn(async move {
        loop {
            let stream = tokio::select! {
                () = until.cancelled() => return,
                stream = listener.accept() => stream.unwrap().0,
            };
            let (recorder, profile) = (recorder.clone(), profile.clone());
            tokio::spawn(serve_one(stream, recorder, profile, None, until.clone()));
        }
    });
    stop
}

/// A remote host on an address of this machine.
pub fn start_remote(
    address: SocketAddr,
    profile: ServerProfile,
    tls: Option<TlsAcceptor>,
) -> (SocketAddr, Recorder) {
    let listener = TcpListener::bind(address).unwrap();
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let address = listener.local_addr().unwrap();
    let recorder = Recorder::default();
    let (keep, profile) = (recorder.clone(), Arc::new(profile));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let stop = CancellationToken::new();
            tokio::spawn(serve_one(stream, keep.clone(), profile.clone(), tls.clone(), stop));
        }
    });
    (address, recorder)
}

pub fn remote_profile() -> ServerProfile {
    ServerProfile::new("mx.remote.test", Mode::Smtp)
}

impl World {
    pub async fn start(change: impl FnOnce(&mut InternetMailConfig)) -> Self {
        let dir = TempDir::new().unwrap();
        let core = Recorder::default();
        let core_socket = dir.path().join("core.sock");
        let core_stop = start_core(&core_socket, &core);
        let mut config = InternetMailConfig::new("mail.example.test", core_socket);
        config.require_auth_tls = false;
        change(&mut config);
        let smtp = TcpListener::bind("127.0.0.1:0").unwrap();
        let submission = TcpListener::bind("127.0.0.1:0").unwrap();
        let submissions = TcpListener::bind("127.0.0.1:0").unwrap();
        let submissions_at = submissions.local_addr().unwrap();
        let with_tls = config.tls.is_some();
        let lmtp = UnixListener::bind(dir.path().join("lmtp.sock")).unwrap();
        let addresses = (smtp.local_addr().unwrap(), submission.local_addr().unwrap());
        let watch = UnixListener::bind(dir.path().join("watch.sock")).unwrap();
        let sockets = Sockets {
            watch: Some(watch),
            smtp: vec![smtp],
            submission: vec![submission],
            submissions: if with_tls { vec![submissions] } else { Vec::new() },
            lmtp: Some(lmtp),
        };
        let stop = CancellationToken::new();
        let service = tokio::spawn(run(config, sockets, stop.clone(), Arc::new(SystemClock)));
        let (smtp, submission) = addresses;
        let submissions = submissions_at;
        Self { dir, core, core_stop, smtp, submission, submissions, stop, service }
    }

    pub fn core_socket(&self) -> PathBuf {
        self.dir.path().join("core.sock")
    }

    /// A client of the public port.
    pub async fn client(&self) -> SmtpClient<TcpStream> {
        let stream = TcpStream::connect(self.smtp).await.unwrap();
        greeted(stream, HelloVerb::Ehlo).await
    }

    /// The core's session to the connector.
    pub async fn lmtp(&self) -> SmtpClient<UnixStream> {
        let stream = UnixStream::connect(self.dir.path().join("lmtp.sock")).await.unwrap();
        greeted(stream, HelloVerb::Lhlo).await
    }
}

pub async fn greeted<S>(stream: S, verb: HelloVerb) -> SmtpClient<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let timeouts = ClientTimeouts::all(Duration::from_secs(30));
    let (mut client, _) = SmtpClient::connect(stream, timeouts).await.unwrap();
    client.hello(verb, "client.example.test").await.unwrap();
    client
}

pub fn mail() -> MailCommand {
    MailCommand::new(Some("sender@example.test".parse().unwrap()))
}

pub fn rcpt(address: &str) -> RcptCommand {
    RcptCommand::new(address.parse().unwrap())
}

/// The policy that a file would say.
pub fn policy(text: &str) -> Arc<concord_mail_policy::Live> {
    Arc::new(concord_mail_policy::Live::fixed(concord_mail_policy::Policy::parse(text).unwrap()))
}

/// Sends a message over a session of its own; the answers for each recipient.
pub async fn send(world: &World, to: &[&str], body: &[u8]) -> Vec<concord_smtp::Reply> {
    let mut core = world.lmtp().await;
    let rcpts: Vec<_> = to.iter().map(|a| rcpt(a)).collect();
    let mut source = Some(bytes::Bytes::copy_from_slice(body));
    let size = u64::try_from(body.len()).unwrap();
    let mail = MailCommand { size: Some(size), ..mail() };
    core.deliver(None, &mail, &rcpts, &mut source).await.unwrap().rcpts
}
