//! Outbound connections: how many at once, and which are kept.

use super::error::OutError;
use crate::config::InternetMailConfig;
use concord_smtp_tokio::{MaybeTls, SmtpClient};
use metrics::gauge;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// How long a message waits for a connection to become free before the core
/// gets its answer and tries later.
const PATIENCE: Duration = Duration::from_secs(60);
/// For the answer to QUIT: politeness has an end.
const GOODBYE: Duration = Duration::from_secs(2);

/// A connection to a host, ready for a transaction.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) client: SmtpClient<MaybeTls<TcpStream>>,
    /// `name [ip]`
    pub(crate) host: String,
    pub(crate) messages: u32,
}

#[derive(Debug)]
struct Pool {
    key: String,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<(Connection, Instant)>>,
}

/// The connections of all destinations.
#[derive(Debug)]
pub(crate) struct Pools {
    per_destination: usize,
    most_messages: u32,
    total: Arc<Semaphore>,
    pools: Mutex<HashMap<String, Arc<Pool>>>,
}

/// A place among a destination's connections; while it is held, the connection
/// in it is used by one transaction.
#[derive(Debug)]
pub(crate) struct Lease {
    pool: Arc<Pool>,
    most_messages: u32,
    connection: Option<Connection>,
    /// Whether the connection has carried a message before.
    pub(crate) used_before: bool,
    _permits: (OwnedSemaphorePermit, OwnedSemaphorePermit),
}

impl Pools {
    pub(crate) fn new(config: &InternetMailConfig) -> Self {
        Self {
            per_destination: config.connections_per_destination.max(1),
            most_messages: config.messages_per_connection.max(1),
            total: Arc::new(Semaphore::new(config.connections_total.max(1))),
            pools: Mutex::default(),
        }
    }

    fn pool(&self, key: String) -> Option<Arc<Pool>> {
        let mut pools = self.pools.lock().ok()?;
        let new = || {
            let permits = Arc::new(Semaphore::new(self.per_destination));
            Arc::new(Pool { key: key.clone(), permits, idle: Mutex::default() })
        };
        Some(Arc::clone(pools.entry(key.clone()).or_insert_with(new)))
    }

    /// Waits for a place. The destination's own bound comes first, so that who
    /// waits for a busy destination does not hold a place that others need.
    pub(crate) async fn place(&self, key: String) -> Result<Lease, OutError> {
        let congested = || OutError::Congested(key.clone());
        let pool = self.pool(key.clone()).ok_or_else(congested)?;
        let waiting = async {
            let own = Arc::clone(&pool.permits).acquire_owned().await.ok()?;
            let total = Arc::clone(&self.total).acquire_owned().await.ok()?;
            Some((own, total))
        };
        let permits = timeout(PATIENCE, waiting).await.ok().flatten().ok_or_else(congested)?;
        gauge!("concord_outbound_connections_busy").increment(1.0);
        Ok(Lease {
            pool,
            most_messages: self.most_messages,
            connection: None,
            used_before: false,
            _permits: permits,
        })
    }

    /// Closes what was idle for too long; forgets destinations without any.
    pub(crate) fn sweep(&self, most: Duration) {
        for connection in self.take_idle(most) {
            tokio::spawn(connection.client.quit(GOODBYE));
        }
    }

    fn take_idle(&self, most: Duration) -> Vec<Connection> {
        let Ok(mut pools) = self.pools.lock() else { return Vec::new() };
        let mut old = Vec::new();
        pools.retain(|_, pool| {
            let Ok(mut idle) = pool.idle.lock() else { return false };
            let (keep, close): (Vec<_>, Vec<_>) =
                std::mem::take(&mut *idle).into_iter().partition(|(_, at)| at.elapsed() < most);
            *idle = keep;
            old.extend(close.into_iter().map(|(connection, _)| connection));
            !idle.is_empty() || Arc::strong_count(pool) > 1
        });
        old
    }

    pub(crate) async fn close_idle(&self) {
        let mut goodbyes = JoinSet::new();
        for connection in self.take_idle(Duration::ZERO) {
            goodbyes.spawn(connection.client.quit(GOODBYE));
        }
        goodbyes.join_all().await;
    }
}

impl Lease {
    /// Takes an idle connection that still stands, if there is one.
    pub(crate) async fn take_idle(&mut self) -> bool {
        loop {
            let idle = self.pool.idle.lock().ok().and_then(|mut idle| idle.pop());
            let Some((connection, _)) = idle else { return false };
            if is_open(connection.client.stream()).await {
                self.connection = Some(connection);
                self.used_before = true;
                return true;
            }
        }
    }

    pub(crate) fn set(&mut self, connection: Connection) {
        self.connection = Some(connection);
        self.used_before = false;
    }

    pub(crate) const fn connection(&mut self) -> Option<&mut Connection> {
        self.connection.as_mut()
    }

    pub(crate) fn drop_connection(&mut self) {
        self.connection = None;
    }

    /// The transaction is over and the connection fit for another.
    pub(crate) fn give_back(mut self) {
        let Some(connection) = self.connection.take() else { return };
        if connection.messages >= self.most_messages {
            tokio::spawn(connection.client.quit(GOODBYE));
            return;
        }
        if let Ok(mut idle) = self.pool.idle.lock() {
            tracing::trace!(destination = self.pool.key, "connection kept");
            idle.push((connection, Instant::now()));
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        gauge!("concord_outbound_connections_busy").decrement(1.0);
    }
}

/// Between transactions a host says nothing, unless it closes. Under TLS what
/// waits may be a session ticket.
async fn is_open(stream: &MaybeTls<TcpStream>) -> bool {
    let (tcp, tls) = match stream {
        MaybeTls::Plain(tcp) => (tcp, false),
        MaybeTls::Tls(tls) => (tls.get_ref().0, true),
    };
    let mut octet = [0u8; 1];
    match timeout(Duration::ZERO, tcp.peek(&mut octet)).await {
        Err(_) => true,
        Ok(Ok(octets)) => tls && octets > 0,
        Ok(Err(_)) => false,
    }
}
