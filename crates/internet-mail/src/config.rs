//! What the service is told.

use concord_mail_authentication::SrsFile;
use concord_mail_policy::{Live as MailPolicy, Policy};
use concord_proxy_protocol::Proxies;
use concord_smtp::{BareNewlines, limits};
use concord_smtp_tokio::{ClientTimeouts, ServerTimeouts};
use concord_tls::Roots;
use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How connections to other hosts are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PeerTls {
    /// STARTTLS where it is offered, certificate not checked (RFC 7435); in the
    /// clear where it is not, or where the handshake fails.
    #[default]
    Opportunistic,
    /// STARTTLS with a checked certificate, or no delivery.
    Required,
    /// TLS from the first octet (RFC 8314), certificate checked.
    Implicit,
    /// No TLS.
    Off,
}

/// Whether DNSSEC is validated for outbound mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dnssec {
    /// If the name servers pass signatures on; where they do not there is no
    /// DANE, and mail goes out all the same.
    #[default]
    Auto,
    /// Always: names that cannot be validated are not used.
    Required,
    /// Never: there is no DANE.
    Off,
}

/// Name and password at a smart host.
#[derive(Clone, PartialEq, Eq)]
pub struct SmartHostLogin {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

impl fmt::Debug for SmartHostLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmartHostLogin").field("user", &self.user).finish_non_exhaustive()
    }
}

/// A host that takes every outbound message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmartHost {
    /// Name, or address without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: PeerTls,
    /// Name and password; sent only under TLS, or to this machine itself.
    pub login: Option<SmartHostLogin>,
}

/// The service's configuration. [`InternetMailConfig::new`] has defaults for
/// everything that may have one.
#[derive(Debug, Clone)]
pub struct InternetMailConfig {
    /// The name in greetings, EHLO and `Received`.
    pub hostname: String,
    /// The core's submission socket.
    pub core_socket: PathBuf,
    /// Relative paths of the policy are seen from there.
    pub root: PathBuf,
    /// Directory of what is kept across restarts: MTA-STS policies, counts of TLS
    /// sessions, figures of reports, the greylist. Without it they last as long as
    /// the process.
    pub state: Option<PathBuf>,
    /// What the administrator decided about Internet mail.
    pub policy: Arc<MailPolicy>,
    /// STARTTLS for clients; `None` offers none.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// AUTH only under TLS.
    pub require_auth_tls: bool,
    /// Where all outbound mail goes, if set; else by MX.
    pub smart_host: Option<SmartHost>,
    /// Whom checked connections to other hosts believe.
    pub roots: Roots,
    /// Octets of a message.
    pub message_size: u64,
    /// Recipients of a message.
    pub max_recipients: usize,
    /// Octets of a line of a message without CRLF.
    pub max_line: usize,
    /// Octets of memory for messages that are looked into, together.
    pub examined_memory: u64,
    /// What becomes of bare LF and CR in messages of clients.
    pub bare_newlines: BareNewlines,
    /// `Received` lines after which a message counts as looping (RFC 5321
    /// section 6.3).
    pub max_hops: u32,
    /// Sessions of clients at once.
    pub max_sessions: usize,
    /// Sessions of one client address at once.
    pub max_sessions_per_client: usize,
    /// Proxies that say who the client is.
    pub proxies: Arc<Proxies>,
    /// Refused commands after which a session ends.
    pub max_errors: u32,
    /// Wait before the greeting; who talks meanwhile is refused.
    pub greeting_delay: Option<Duration>,
    /// Look up the client's name for `Received`; nothing waits for it.
    pub reverse_dns: bool,
    /// Outbound connections at once to one destination.
    pub connections_per_destination: usize,
    /// Outbound connections at once.
    pub connections_total: usize,
    /// The directory of the keys that sign; `None` signs nothing.
    pub dkim_keys: Option<PathBuf>,
    /// Rewrites the senders of what is passed on; `None` leaves them.
    pub srs: Option<Arc<SrsFile>>,
    /// How long it is tried to reach a host for a message, with all hosts of its
    /// destination together. At most 5 minutes: the core waits for the answer.
    pub reach_time: Duration,
    /// How long an outbound connection is kept for the next message.
    pub connection_idle: Duration,
    /// Messages after which an outbound connection is closed.
    pub messages_per_connection: u32,
    /// DNS servers; empty means those of `/etc/resolv.conf`.
    pub name_servers: Vec<SocketAddr>,
    /// Whether their answers are validated.
    pub dnssec: Dnssec,
    /// DNSKEY records in zone file form that are trusted instead of the root's.
    pub trust_anchors: Option<PathBuf>,
    /// Port of other hosts: 25.
    pub remote_port: u16,
    /// Port of MTA-STS policy hosts: 443.
    pub policy_port: u16,
    /// How long running transactions may go on after the stop.
    pub stop_time: Duration,
    /// Cancelled when clients and the core are served; until then the service
    /// is only up.
    pub go_ahead: CancellationToken,
    /// Time-outs towards clients.
    pub server_timeouts: ServerTimeouts,
    /// Time-outs towards other hosts.
    pub client_timeouts: ClientTimeouts,
}

impl InternetMailConfig {
    /// The defaults.
    pub fn new(hostname: impl Into<String>, core_socket: PathBuf) -> Self {
        Self {
            hostname: hostname.into(),
            core_socket,
            root: PathBuf::new(),
            state: None,
            policy: Arc::new(MailPolicy::fixed(Policy::default())),
            tls: None,
            require_auth_tls: true,
            smart_host: None,
            roots: Roots::System,
            message_size: 50 * 1024 * 1024,
            max_recipients: 1000,
            // Five of the largest messages at once.
            examined_memory: 256 * 1024 * 1024,
            max_line: limits::DEFAULT_MAX_DATA_LINE,
            bare_newlines: BareNewlines::Refuse,
            max_hops: 100,
            max_sessions: 2000,
            max_sessions_per_client: 100,
            proxies: Arc::default(),
            max_errors: 20,
            greeting_delay: None,
            reverse_dns: false,
            connections_per_destination: 8,
            connections_total: 100,
            dkim_keys: None,
            srs: None,
            reach_time: Duration::from_secs(300),
            connection_idle: Duration::from_secs(10),
            messages_per_connection: 100,
            name_servers: Vec::new(),
            dnssec: Dnssec::default(),
            trust_anchors: None,
            remote_port: 25,
            policy_port: 443,
            stop_time: Duration::from_secs(20),
            go_ahead: at_once(),
            server_timeouts: ServerTimeouts::default(),
            client_timeouts: ClientTimeouts::default(),
        }
    }
}

fn at_once() -> CancellationToken {
    let go_ahead = CancellationToken::new();
    go_ahead.cancel();
    go_ahead
}

/// The sockets that the controller hands over, bound and listening.
#[derive(Debug, Default)]
pub struct Sockets {
    /// Public SMTP.
    pub smtp: Vec<TcpListener>,
    /// Submission (RFC 6409), STARTTLS.
    pub submission: Vec<TcpListener>,
    /// Submission under TLS from the first octet (RFC 8314).
    pub submissions: Vec<TcpListener>,
    /// LMTP from the core.
    pub lmtp: Option<UnixListener>,
    /// For administrators who look at conversations.
    pub watch: Option<UnixListener>,
}
