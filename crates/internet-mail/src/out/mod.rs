//! The client side: from the core's queue to other hosts.

mod answer;
mod connect;
mod content;
mod deliver;
mod dns;
mod dnssec;
mod error;
mod failing;
#[cfg(debug_assertions)]
mod fault;
mod keys;
mod open;
mod pace;
mod passage;
mod plan;
mod pool;
mod rewrite;
mod route;
mod secure;
mod turns;

pub(crate) use deliver::Outbound;
pub(crate) use dns::Dns;
pub(crate) use keys::Keys;

use crate::config::InternetMailConfig;
use crate::error::InternetMailError;
use crate::watch::Hub;
use concord_base::Clock;
use concord_transport_security::Ledger;
use concord_transport_security::peer::Peers;
use concord_transport_security::sts::StsStore;
use connect::Tries;
use error::OutError;
use failing::Failing;
use plan::Plan;
use pool::{Lease, Pools};
use rewrite::Rewriter;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use turns::Turns;

/// Connections that are refused to one message with a complaint, each time with
/// fewer of them at once, before the core is told.
const COMPLAINTS: u32 = 5;

/// What all outbound sessions share.
pub(crate) struct OutService {
    config: Arc<InternetMailConfig>,
    dns: Dns,
    /// Where this service itself listens.
    ours: Vec<SocketAddr>,
    hub: Arc<Hub>,
    pools: Pools,
    failing: Failing,
    clock: Arc<dyn Clock>,
    keys: Keys,
    /// Senders that become other ones, of a state of the policy.
    rewriter: Mutex<(u64, Option<Arc<Rewriter>>)>,
    /// Memory for messages that are held.
    held: Arc<Semaphore>,
    peers: Peers,
    /// MTA-STS policies.
    policies: Arc<StsStore>,
    /// Fetches of them.
    turns: Turns,
    /// Counts of TLS sessions.
    sessions: Arc<Ledger>,
}

impl OutService {
    pub(crate) fn new(
        config: Arc<InternetMailConfig>,
        ours: Vec<SocketAddr>,
        hub: Arc<Hub>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, InternetMailError> {
        let (policies, sessions) = match &config.state {
            Some(directory) => {
                let policies = StsStore::open(directory.join("mta-sts"), clock.now());
                let policies = policies.map_err(|cause| InternetMailError::State {
                    directory: directory.clone(),
                    cause,
                })?;
                (policies, Ledger::open(directory.join("tls-sessions"))?)
            }
            None => (StsStore::in_memory(), Ledger::in_memory()),
        };
        Ok(Self {
            dns: Dns::new(&config)?,
            ours,
            hub,
            pools: Pools::new(&config),
            failing: Failing::default(),
            clock,
            keys: Keys::new(config.dkim_keys.clone()),
            rewriter: Mutex::default(),
            held: Arc::new(Semaphore::new(passage::room(config.message_size.saturating_mul(2)))),
            peers: Peers::new(config.roots.clone())?,
            policies: Arc::new(policies),
            turns: Turns::default(),
            sessions: Arc::new(sessions),
            config,
        })
    }

    /// What becomes of senders, if anything does.
    fn rewriter(&self) -> Option<Arc<Rewriter>> {
        let (policy, generation) = self.config.policy.with_generation();
        let mut kept = self.rewriter.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0 != generation {
            *kept = (generation, Rewriter::of(&policy.rewriting).map(Arc::new));
        }
        kept.1.clone()
    }

    pub(crate) fn resolver(&self) -> Dns {
        self.dns.clone()
    }

    /// A connection to a destination: one that was idle, or a new one.
    async fn lease(&self, plan: &Plan, tries: &Tries) -> Result<Lease, OutError> {
        let mut times: u32 = 0;
        loop {
            let mut lease = self.pools.place(plan.key(), plan.terms).await?;
            if lease.take_idle().await {
                return Ok(lease);
            }
            times = times.saturating_add(1);
            match self.renew(&mut lease, plan, tries).await {
                // With fewer connections at once it may take this one, and
                // nobody has to wait for the core to try again.
                Err(error) if error.is_complaint() => {
                    let fewer = lease.complained();
                    if !fewer || times >= COMPLAINTS || Instant::now() >= tries.until {
                        return Err(error);
                    }
                }
                result => return result.map(|()| lease),
            }
        }
    }

    /// Replaces a lease's connection by a new one.
    async fn renew(&self, lease: &mut Lease, plan: &Plan, tries: &Tries) -> Result<(), OutError> {
        lease.drop_connection();
        lease.set(self.connect(plan, tries).await?);
        Ok(())
    }

    /// Closes connections that were idle for too long.
    pub(crate) fn sweep(&self) {
        self.pools.sweep(self.config.connection_idle);
    }

    /// Says goodbye on all idle connections.
    pub(crate) async fn close_idle(&self) {
        self.pools.close_idle().await;
    }
}
