//! What the service is given.

use crate::mta_sts::Policy;
use concord_acme::{Challenges, Renewer};
use concord_base::Clock;
use concord_client_setup::MailService;
use concord_proxy_protocol::Proxies;
use rustls::ServerConfig;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What the service is given.
#[derive(Clone)]
pub struct WebConfig {
    /// This server's name: where redirections lead.
    pub hostname: String,
    /// What mail programs are told.
    pub service: MailService,
    /// The MTA-STS policy, if there is one.
    pub policy: Option<Policy>,
    /// Proxies that say who the client is.
    pub proxies: Arc<Proxies>,
    /// TLS with the certificate of the mail services.
    pub tls: ServerConfig,
    /// Answers to the authority's challenges.
    pub challenges: Challenges,
    /// Who orders certificates; none if that is not wanted.
    pub renewer: Option<Arc<Renewer>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How long requests that run may take to finish at the end.
    pub stop_time: Duration,
    /// Nothing is ordered before this is cancelled: an update is being tried.
    pub go_ahead: CancellationToken,
}

impl std::fmt::Debug for WebConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebConfig").field("hostname", &self.hostname).finish_non_exhaustive()
    }
}

/// The listening sockets, non-blocking.
#[derive(Debug, Default)]
pub struct Sockets {
    /// HTTP.
    pub http: Vec<TcpListener>,
    /// HTTP within TLS.
    pub https: Vec<TcpListener>,
    /// For the administrator.
    pub admin: Vec<UnixListener>,
}
