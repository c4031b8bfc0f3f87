//! Outbound connections: how many at once, and which are kept.

use super::error::OutError;
use super::pace::{Entry, Pace};
use crate::config::InternetMailConfig;
use concord_smtp_tokio::{MaybeTls, SmtpClient};
use lru::LruCache;
use metrics::{counter, gauge};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

pub(crate) use super::pace::Terms;

/// How long a message waits for a connection to become free before the core
/// gets its answer and tries later.
const PATIENCE: Duration = Duration::from_secs(60);
/// For the answer to QUIT: politeness has an end.
const GOODBYE: Duration = Duration::from_secs(2);
/// Destinations that are remembered, some 300 octets each. Beyond it the one
/// that was used longest ago is forgotten; many more than there are
/// connections, so that none in use is.
const MOST: NonZeroUsize = NonZeroUsize::MIN.saturating_add(8191);

/// A connection to a host, ready for a transaction.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) client: SmtpClient<MaybeTls<TcpStream>>,
    /// `name [ip]`
    pub(crate) host: String,
    pub(crate) address: SocketAddr,
    pub(crate) messages: u32,
}

#[derive(Debug, Default)]
struct State {
    pace: Pace,
    idle: Vec<(Connection, Instant)>,
    /// What the policy said when a place was last asked for.
    terms: Option<Terms>,
}

/// A destination.
#[derive(Debug)]
struct Pool {
    key: String,
    state: Mutex<State>,
    /// A place may have become free.
    free: Notify,
}

/// The connections of all destinations.
#[derive(Debug)]
pub(crate) struct Pools {
    total: Arc<Semaphore>,
    pools: Mutex<LruCache<String, Arc<Pool>>>,
}

/// A place at a destination that is given back when it is dropped.
#[derive(Debug)]
struct Place(Arc<Pool>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.state().pace.leave();
        self.0.free.notify_waiters();
    }
}

/// A place among a destination's connections; while it is held, the connection
/// in it is used by one transaction.
#[derive(Debug)]
pub(crate) struct Lease {
    place: Place,
    began: Instant,
    terms: Terms,
    connection: Option<Connection>,
    /// Whether the connection has carried a message before.
    pub(crate) used_before: bool,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place.
    async fn enter(self: &Arc<Self>, terms: &Terms, patience: Instant) -> Option<Place> {
        loop {
            let mut freed = std::pin::pin!(self.free.notified());
            // Before the look: what becomes free behind it is not missed.
            freed.as_mut().enable();
            let until = {
                let mut state = self.state();
                state.terms = Some(*terms);
                match state.pace.enter(terms, Instant::now()) {
                    Entry::Taken => return Some(Place(Arc::clone(self))),
                    Entry::Not(until) if until > patience => return None,
                    Entry::Not(until) => until,
                    Entry::Full => patience,
                }
            };
            if timeout_at(until, freed).await.is_err() && Instant::now() >= patience {
                return None;
            }
        }
    }
}

impl Pools {
    pub(crate) fn new(config: &InternetMailConfig) -> Self {
        Self {
            total: Arc::new(Semaphore::new(config.connections_total.max(1))),
            pools: Mutex::new(LruCache::new(MOST)),
        }
    }

    fn pools(&self) -> MutexGuard<'_, LruCache<String, Arc<Pool>>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pool(&self, key: String) -> Arc<Pool> {
        let new = || {
            let (state, free) = (Mutex::default(), Notify::new());
            Arc::new(Pool { key: key.clone(), state, free })
        };
        Arc::clone(self.pools().get_or_insert(key.clone(), new))
    }

    /// Waits for a place. The destination's own bound comes first, so that who
    /// waits for a busy destination does not hold a place that others need.
    pub(crate) async fn place(&self, key: String, terms: Terms) -> Result<Lease, OutError> {
        let pool = self.pool(key);
        let now = Instant::now();
        let patience = now.checked_add(PATIENCE).unwrap_or(now);
        let Some(place) = pool.enter(&terms, patience).await else {
            return Err(pool.congested(&terms));
        };
        let total = Arc::clone(&self.total).acquire_owned();
        let Ok(Ok(permit)) = timeout_at(patience, total).await else {
            return Err(OutError::Congested(pool.key.clone()));
        };
        gauge!("concord_outbound_connections_busy").increment(1.0);
        let began = Instant::now();
        Ok(Lease { place, began, terms, connection: None, used_before: false, _permit: permit })
    }

    /// Closes what was idle for too long; forgets destinations of which there
    /// is nothing to know.
    pub(crate) fn sweep(&self, most: Duration) {
        for connection in self.take_idle(most) {
            tokio::spawn(connection.client.quit(GOODBYE));
        }
    }

    fn take_idle(&self, most: Duration) -> Vec<Connection> {
        let now = Instant::now();
        let (mut old, mut gone, mut slowed) = (Vec::new(), Vec::new(), 0u32);
        let mut pools = self.pools();
        for (key, pool) in pools.iter() {
            let mut state = pool.state();
            let (keep, close): (Vec<_>, Vec<_>) = std::mem::take(&mut state.idle)
                .into_iter()
                .partition(|(_, at)| now.saturating_duration_since(*at) < most);
            state.idle = keep;
            old.extend(close.into_iter().map(|(connection, _)| connection));
            if state.pace.is_slowed(now) {
                slowed = slowed.saturating_add(1);
                pool.tell(&state, now);
            }
            if state.idle.is_empty() && state.pace.is_plain(now) && Arc::strong_count(pool) == 1 {
                gone.push(key.clone());
            }
        }
        for key in gone {
            pools.pop(&key);
        }
        gauge!("concord_outbound_destinations")
            .set(f64::from(u32::try_from(pools.len()).unwrap_or(u32::MAX)));
        gauge!("concord_outbound_destinations_slowed").set(f64::from(slowed));
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

impl Pool {
    fn congested(&self, terms: &Terms) -> OutError {
        let state = self.state();
        match state.pace.rests_until(Instant::now()) {
            Some(_) => OutError::Resting(self.key.clone()),
            None if terms.per_minute.is_some() => OutError::Paced(self.key.clone()),
            None => OutError::Congested(self.key.clone()),
        }
    }

    fn tell(&self, state: &State, now: Instant) {
        let Some(terms) = &state.terms else { return };
        let rest = state.pace.rests_until(now).map(|until| until.saturating_duration_since(now));
        tracing::debug!(
            destination = self.key,
            connections = state.pace.busy(),
            window = state.pace.window(terms),
            allowed = terms.connections,
            rests = rest.map_or(0, |rest| rest.as_secs()),
            "the destination gets less than it might"
        );
    }
}

impl Lease {
    fn pool(&self) -> &Pool {
        &self.place.0
    }

    /// Takes an idle connection that still stands, if there is one.
    pub(crate) async fn take_idle(&mut self) -> bool {
        loop {
            let idle = self.pool().state().idle.pop();
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

    /// The destination took a message.
    pub(crate) fn took(&self) {
        let raised = self.pool().state().pace.took(&self.terms);
        if raised {
            counter!("concord_outbound_pace_total", "change" => "raised").increment(1);
            self.pool().free.notify_waiters();
        }
    }

    /// The destination said that this is too much. True if fewer connections at
    /// once may be what it wants; false if it is given a rest.
    pub(crate) fn complained(&self) -> bool {
        let (now, mut state) = (Instant::now(), self.pool().state());
        let news = state.pace.complained(&self.terms, self.began, now);
        let rests = state.pace.rests_until(now);
        if news {
            let change = if rests.is_some() { "rested" } else { "lowered" };
            counter!("concord_outbound_pace_total", "change" => change).increment(1);
            tracing::info!(
                destination = self.pool().key,
                connections = state.pace.window(&self.terms),
                rests = rests.map_or(0, |until| until.saturating_duration_since(now).as_secs()),
                "the destination complains; it gets less"
            );
        }
        rests.is_none()
    }

    /// The transaction is over and the connection fit for another.
    pub(crate) fn give_back(mut self) {
        let Some(connection) = self.connection.take() else { return };
        if connection.messages >= self.terms.per_connection {
            tokio::spawn(connection.client.quit(GOODBYE));
            return;
        }
        let pool = self.pool();
        tracing::trace!(destination = pool.key, "connection kept");
        pool.state().idle.push((connection, Instant::now()));
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
