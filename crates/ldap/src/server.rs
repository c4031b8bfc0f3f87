//! What all sessions share, and how one begins.

use crate::catalogue::Follower;
use crate::config::LdapConfig;
use crate::connection::split;
use crate::result::Code;
use crate::session::{Session, notice};
use concord_directory::{Directory, Writer};
use concord_entrance::{Entrance, Figures, Io};
use concord_sasl::PasswordGate;
use std::fmt;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

/// How a client came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Over the network, without TLS; STARTTLS may follow.
    Plain,
    /// Over the network, in TLS from the first octet.
    Tls,
    /// By a socket of this machine. With `administrator` the other side may act
    /// as the machine's administrator, if it asks for that (SASL EXTERNAL).
    Local {
        /// Whether the other process has the right user.
        administrator: bool,
    },
}

/// An LDAP server over a directory. It opens no port; its owner accepts
/// connections and hands them to [`LdapServer::serve_connection`], one task each.
pub struct LdapServer {
    pub(crate) config: LdapConfig,
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) writer: Arc<Writer>,
    pub(crate) gate: Arc<PasswordGate>,
    pub(crate) follower: Follower,
    /// Password hashes that are made at once: each takes 19 MiB and a core.
    pub(crate) hashing: Semaphore,
    pub(crate) entrance: Entrance,
}

impl fmt::Debug for LdapServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LdapServer").field("config", &self.config).finish_non_exhaustive()
    }
}

/// See [`LdapServer::hashing`].
const MAX_HASHING: usize = 2;

impl LdapServer {
    /// A server. Without `tls` it offers no STARTTLS and refuses connections
    /// with implicit TLS. `writer` is that of every way into the directory.
    pub fn new(
        config: LdapConfig,
        directory: Arc<dyn Directory>,
        writer: Arc<Writer>,
        gate: Arc<PasswordGate>,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let figures = Figures { connections: "ldap_connections_total", sessions: "ldap_sessions" };
        let handshake = config.handshake_timeout;
        let entrance = Entrance::new(figures, config.max_connections, tls, handshake);
        Self {
            config,
            follower: Follower::new(Arc::clone(&directory)),
            directory,
            writer,
            gate,
            hashing: Semaphore::new(MAX_HASHING),
            entrance,
        }
    }

    /// Reads the directory, so that the first search need not wait for it.
    pub async fn warm_up(&self) {
        if let Err(error) = self.follower.catch_up().await {
            tracing::warn!(%error, "the directory cannot be read for LDAP");
        }
    }

    /// Serves one accepted connection until it ends; never fails, for nobody
    /// could do anything about it. When `shutdown` is cancelled the client is
    /// told so (RFC 4511 section 4.4.1).
    pub async fn serve_connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: std::net::SocketAddr,
        implicit_tls: bool,
        shutdown: CancellationToken,
    ) {
        // answers are written whole, so waiting for more to send only adds delay
        let _ = stream.set_nodelay(true);
        let way = if implicit_tls { Way::Tls } else { Way::Plain };
        self.serve_stream(stream, &peer.to_string(), way, shutdown).await;
    }

    /// Serves a connection of this machine. Its administrator is who runs the
    /// server, and root.
    pub async fn serve_local(
        self: Arc<Self>,
        stream: UnixStream,
        own_user: u32,
        shutdown: CancellationToken,
    ) {
        let user = stream.peer_cred().ok().map(|credentials| credentials.uid());
        let administrator = user.is_some_and(|user| user == 0 || user == own_user);
        self.serve_stream(stream, "local", Way::Local { administrator }, shutdown).await;
    }

    /// The same over any stream, for tests and inherited sockets.
    pub async fn serve_stream<S>(
        self: Arc<Self>,
        stream: S,
        peer: &str,
        way: Way,
        shutdown: CancellationToken,
    ) where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let id = self.entrance.number();
        let span = tracing::info_span!("ldap", session = id, peer);
        self.run(Box::new(stream), way, shutdown).instrument(span).await;
    }

    async fn run(self: Arc<Self>, stream: Box<dyn Io>, way: Way, shutdown: CancellationToken) {
        let began = match way {
            Way::Plain => "none",
            Way::Tls => "implicit",
            Way::Local { .. } => "local",
        };
        let Some(_seat) = self.entrance.seat(began) else {
            let (_, mut output) = split(stream, self.config.write_timeout);
            notice(&mut output, Code::Busy, "too many connections, try again later");
            let _ = output.flush().await;
            return;
        };
        let stream = match way {
            Way::Tls => match self.entrance.handshake(stream).await {
                Some(stream) => stream,
                None => return,
            },
            Way::Plain | Way::Local { .. } => stream,
        };
        Session::new(self, way, shutdown).run(stream).await;
    }
}
