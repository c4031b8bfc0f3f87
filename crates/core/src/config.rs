//! What the core is told at its start.

use concord_engine::EngineOptions;
use concord_transport::RetryPolicy;
use std::fmt;
use std::net::{IpAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// Whether a client at this address may send anywhere without logging in.
pub type MayRelay = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// The path of the LMTP socket of a connector, by its name.
pub type DeliverSocket = Arc<dyn Fn(&str) -> PathBuf + Send + Sync>;

/// How many deliveries run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DispatchLimits {
    /// For one connector.
    pub total: usize,
    /// For one group (a destination domain).
    pub per_group: usize,
}

impl Default for DispatchLimits {
    /// Postfix's figures for a destination, and enough of them at once that
    /// slow ones do not use up all places.
    fn default() -> Self {
        Self { total: 100, per_group: 20 }
    }
}

/// Settings of the core.
#[derive(Clone)]
pub struct CoreConfig {
    /// This host's name in greetings and reports.
    pub hostname: String,
    /// Storage.
    pub engine: EngineOptions,
    /// Octets of a message.
    pub message_size: u64,
    /// Recipients of a message.
    pub recipients: usize,
    /// `Received` lines of a message; more is a loop.
    pub max_hops: u32,
    /// Client sessions at once, per protocol.
    pub sessions: usize,
    /// Retry schedule.
    pub retry: RetryPolicy,
    /// Who may relay without logging in.
    pub may_relay: MayRelay,
    /// For STARTTLS and implicit TLS; none is none.
    pub tls: Option<TlsAcceptor>,
    /// Passwords may cross connections without TLS.
    pub allow_plaintext_auth: bool,
    /// LMTP sockets of the connectors.
    pub deliver_socket: DeliverSocket,
    /// Deliveries at once.
    pub dispatch: DispatchLimits,
    /// Stories are kept so long.
    pub tracking_retention: Duration,
    /// Segments with less live mail, in percent, are compacted.
    pub compact_below: u8,
    /// Made by `store rebuild` while the core runs; at the next start the index
    /// is made anew.
    pub rebuild_marker: PathBuf,
    /// Cancelled when clients are served and mail moves. Until then the core is
    /// up, and its admin API answers questions only.
    pub go_ahead: CancellationToken,
}

impl fmt::Debug for CoreConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoreConfig").field("hostname", &self.hostname).finish_non_exhaustive()
    }
}

/// Listening sockets, inherited from the controller.
#[derive(Debug, Default)]
pub struct CoreSockets {
    /// SMTP from connectors.
    pub submit: Vec<UnixListener>,
    /// The admin API.
    pub admin: Vec<UnixListener>,
    /// IMAP, with STARTTLS.
    pub imap: Vec<TcpListener>,
    /// IMAP under TLS.
    pub imaps: Vec<TcpListener>,
    /// POP3, with STLS.
    pub pop3: Vec<TcpListener>,
    /// POP3 under TLS.
    pub pop3s: Vec<TcpListener>,
}
