//! What all sessions share, and how one begins.

use crate::config::Pop3Config;
use crate::connection::{Connection, Io};
use crate::lock::Locks;
use crate::session::Session;
use concord_directory::Directory;
use concord_sasl::PasswordGate;
use concord_store::Store;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

/// A POP3 server over a directory and a store. It opens no port; its owner
/// accepts connections and hands them to [`Pop3Server::serve_connection`], one
/// task each.
pub struct Pop3Server {
    pub(crate) config: Pop3Config,
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) gate: Arc<PasswordGate>,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) locks: Locks,
    connections: Arc<Semaphore>,
    next_session: AtomicU64,
}

impl fmt::Debug for Pop3Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pop3Server").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Pop3Server {
    /// A server. Without `tls` it offers no STLS and refuses connections
    /// with implicit TLS.
    pub fn new(
        config: Pop3Config,
        directory: Arc<dyn Directory>,
        store: Arc<dyn Store>,
        gate: Arc<PasswordGate>,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let connections = config.max_connections.min(Semaphore::MAX_PERMITS);
        Self {
            config,
            directory,
            store,
            gate,
            tls,
            locks: Locks::default(),
            connections: Arc::new(Semaphore::new(connections)),
            next_session: AtomicU64::new(1),
        }
    }

    /// Serves one accepted connection until it ends; never fails, for nobody
    /// could do anything about it. When `shutdown` is cancelled the client is
    /// told so and cut off; what it deleted stays.
    pub async fn serve_connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        implicit_tls: bool,
        shutdown: CancellationToken,
    ) {
        // answers are written whole, so waiting for more to send only adds delay
        let _ = stream.set_nodelay(true);
        self.serve_stream(stream, peer, implicit_tls, shutdown).await;
    }

    /// The same over any stream, for tests and inherited sockets.
    pub async fn serve_stream<S>(
        self: Arc<Self>,
        stream: S,
        peer: SocketAddr,
        implicit_tls: bool,
        shutdown: CancellationToken,
    ) where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let id = self.next_session.fetch_add(1, Ordering::Relaxed);
        let span = tracing::info_span!("pop3", session = id, %peer);
        self.run(Box::new(stream), implicit_tls, shutdown).instrument(span).await;
    }

    async fn run(
        self: Arc<Self>,
        stream: Box<dyn Io>,
        implicit_tls: bool,
        shutdown: CancellationToken,
    ) {
        // connections that were taken in, by whether they began under TLS
        metrics::counter!("pop3_connections_total", "tls" => if implicit_tls { "implicit" } else { "none" })
            .increment(1);
        let Ok(_seat) = Arc::clone(&self.connections).try_acquire_owned() else {
            let mut connection = Connection::new(stream, &self.config);
            connection.line("-ERR [SYS/TEMP] too many connections, try again later");
            let _ = connection.flush().await;
            return;
        };
        let stream = if implicit_tls {
            match self.accept_tls(stream).await {
                Some(stream) => stream,
                None => return,
            }
        } else {
            stream
        };
        let _open = Gauge::enter();
        let connection = Connection::new(stream, &self.config);
        Session::new(self, connection, implicit_tls, shutdown).run().await;
    }

    /// The TLS handshake, within the login time.
    pub(crate) async fn accept_tls(&self, stream: Box<dyn Io>) -> Option<Box<dyn Io>> {
        let acceptor = self.tls.as_ref()?;
        match tokio::time::timeout(self.config.command_timeout, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => Some(Box::new(stream)),
            Ok(Err(error)) => {
                tracing::debug!(%error, "TLS handshake broke off");
                None
            }
            Err(_) => {
                tracing::debug!("TLS handshake timed out");
                None
            }
        }
    }
}

/// Counts open sessions as long as it lives.
struct Gauge;

impl Gauge {
    fn enter() -> Self {
        // sessions that are open now
        metrics::gauge!("pop3_sessions").increment(1.0);
        Self
    }
}

impl Drop for Gauge {
    fn drop(&mut self) {
        metrics::gauge!("pop3_sessions").decrement(1.0);
    }
}
