//! What the core is told at its start.

use concord_connector::Tokens;
use concord_engine::EngineOptions;
use concord_ldap::LdapConfig;
use concord_mail_authentication::SrsFile;
use concord_mail_policy::Live as MailPolicy;
use concord_proxy_protocol::Proxies;
use concord_transport::RetryPolicy;
use std::fmt;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

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

/// So many times the places can be attempts that are slow: they cost little but
/// a connection each, of which there must be an end. With a hundred places nine of
/// ten in a thousand destinations may be silent.
const SLOW_MOST: usize = 10;

impl DispatchLimits {
    /// Attempts that wait for slow hosts and have given their places up.
    pub const fn slow(self) -> usize {
        self.total.saturating_mul(SLOW_MOST)
    }

    /// All attempts that can run at once.
    pub const fn most(self) -> usize {
        self.total.saturating_add(self.slow())
    }
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
    /// Proxies that say who the client is.
    pub proxies: Arc<Proxies>,
    /// What LDAP gives to whom. Sessions and passwords are as for the others.
    pub ldap: LdapConfig,
    /// Retry schedule.
    pub retry: RetryPolicy,
    /// Mail waits for the cheapest way, even if it cannot be reached.
    pub least_cost_only: bool,
    /// Removed objects of the directory are remembered so long.
    pub removed_retention: Duration,
    /// What the administrator decided about Internet mail.
    pub policy: Arc<MailPolicy>,
    /// Finds senders again that were rewritten when their mail was passed on.
    pub srs: Arc<SrsFile>,
    /// For STARTTLS and implicit TLS; none is none.
    pub tls: Option<TlsAcceptor>,
    /// Passwords may cross connections without TLS.
    pub allow_plaintext_auth: bool,
    /// By what connectors show who they are.
    pub tokens: Tokens,
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
    /// The API for connectors.
    pub api: Vec<UnixListener>,
    /// IMAP, with STARTTLS.
    pub imap: Vec<TcpListener>,
    /// IMAP under TLS.
    pub imaps: Vec<TcpListener>,
    /// POP3, with STLS.
    pub pop3: Vec<TcpListener>,
    /// POP3 under TLS.
    pub pop3s: Vec<TcpListener>,
    /// LDAP, with STARTTLS.
    pub ldap: Vec<TcpListener>,
    /// LDAP under TLS.
    pub ldaps: Vec<TcpListener>,
    /// LDAP for this machine, with SASL EXTERNAL for its administrator.
    pub ldapi: Vec<UnixListener>,
}
