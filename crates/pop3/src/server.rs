//! What all sessions share, and how one begins.

use crate::config::Pop3Config;
use crate::connection::Connection;
use crate::lock::Locks;
use crate::session::Session;
use concord_directory::Directory;
use concord_entrance::{Entrance, Figures, Io};
use concord_sasl::PasswordGate;
use concord_store::Store;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
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
    pub(crate) locks: Locks,
    pub(crate) entrance: Entrance,
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
        let figures = Figures { connections: "pop3_connections_total", sessions: "pop3_sessions" };
        let handshake = config.command_timeout;
        let entrance = Entrance::new(figures, config.max_connections, tls, handshake);
        Self { config, directory, store, gate, locks: Locks::default(), entrance }
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
        let id = self.entrance.number();
        let span = tracing::info_span!("pop3", session = id, %peer);
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
            connection.line("-ERR [SYS/TEMP] too many connections, try again later");
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
