//! What all sessions share, and how one begins.

use crate::cache::MetaCache;
use crate::config::ImapConfig;
use crate::connection::Connection;
use crate::session::Session;
use concord_base::Clock;
use concord_directory::Directory;
use concord_entrance::{Entrance, Figures, Io};
use concord_sasl::PasswordGate;
use concord_store::Store;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

/// One permit of the budget for large messages stands for so many octets.
pub(crate) const BUDGET_UNIT: u64 = 64 * 1024;

/// An IMAP server over a directory and a store. It opens no port; its owner
/// accepts connections and hands them to [`ImapServer::serve_connection`], one
/// task each.
pub struct ImapServer {
    pub(crate) config: ImapConfig,
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) gate: Arc<PasswordGate>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) cache: MetaCache,
    /// Permits of [`BUDGET_UNIT`] octets for messages held whole.
    pub(crate) large: Arc<Semaphore>,
    pub(crate) entrance: Entrance,
}

impl fmt::Debug for ImapServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImapServer").field("config", &self.config).finish_non_exhaustive()
    }
}

impl ImapServer {
    /// A server. Without `tls` it offers no STARTTLS and refuses connections
    /// with implicit TLS.
    pub fn new(
        config: ImapConfig,
        directory: Arc<dyn Directory>,
        store: Arc<dyn Store>,
        gate: Arc<PasswordGate>,
        tls: Option<TlsAcceptor>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let cache = MetaCache::new(config.cache.0);
        let units = config.large_messages.0.div_ceil(BUDGET_UNIT).max(1);
        let units = usize::try_from(units).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        let figures = Figures { connections: "imap_connections_total", sessions: "imap_sessions" };
        let handshake = config.command_timeout;
        let entrance = Entrance::new(figures, config.max_connections, tls, handshake);
        Self {
            config,
            directory,
            store,
            gate,
            clock,
            cache,
            large: Arc::new(Semaphore::new(units)),
            entrance,
        }
    }

    /// Serves one accepted connection until it ends; never fails, for nobody
    /// could do anything about it. When `shutdown` is cancelled the client is
    /// told BYE at the next moment at which that is allowed.
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
        let id = self.entrance.number();
        let span = tracing::info_span!("imap", session = id, %peer);
        self.run(Box::new(stream), implicit_tls, shutdown).instrument(span).await;
    }

    async fn run(
        self: Arc<Self>,
        stream: Box<dyn Io>,
        implicit_tls: bool,
        shutdown: CancellationToken,
    ) {
        let began = if implicit_tls { "implicit" } else { "none" };
        let Some(_seat) = self.entrance.seat(began) else {
            let mut connection = Connection::new(stream, &self.config);
            connection.push(b"* BYE too many connections, try again later\r\n");
            let _ = connection.flush().await;
            return;
        };
        let stream = if implicit_tls {
            match self.entrance.handshake(stream).await {
                Some(stream) => stream,
                None => return,
            }
        } else {
            stream
        };
        let connection = Connection::new(stream, &self.config);
        Session::new(self, connection, implicit_tls, shutdown).run().await;
    }
}
