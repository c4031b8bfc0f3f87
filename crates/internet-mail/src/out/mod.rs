//! The client side: from the core's queue to other hosts.

mod connect;
mod content;
mod deliver;
mod dns;
mod error;
#[cfg(debug_assertions)]
mod fault;
mod pool;
mod route;

pub(crate) use deliver::Outbound;
pub(crate) use dns::Dns;

use crate::config::{InternetMailConfig, PeerTls, SmartHost};
use crate::error::InternetMailError;
use concord_tls::{Verification, client_config};
use error::OutError;
use pool::{Lease, Pools};
use rustls::ClientConfig;
use std::net::SocketAddr;
use std::sync::Arc;

/// What all outbound sessions share.
pub(crate) struct OutService {
    config: Arc<InternetMailConfig>,
    dns: Dns,
    /// Where this service itself listens.
    ours: Vec<SocketAddr>,
    pools: Pools,
    opportunistic: Arc<ClientConfig>,
    /// Only made if it is needed: it wants the machine's root certificates.
    checked: Option<Arc<ClientConfig>>,
}

impl OutService {
    pub(crate) fn new(
        config: Arc<InternetMailConfig>,
        ours: Vec<SocketAddr>,
    ) -> Result<Self, InternetMailError> {
        let checks = |s: &SmartHost| matches!(s.tls, PeerTls::Required | PeerTls::Implicit);
        let checked = if config.smart_host.as_ref().is_some_and(checks) {
            Some(client_config(&Verification::Verify(config.roots.clone()))?)
        } else {
            None
        };
        Ok(Self {
            dns: Dns::new(&config.name_servers)?,
            ours,
            pools: Pools::new(&config),
            opportunistic: client_config(&Verification::Opportunistic)?,
            checked,
            config,
        })
    }

    pub(crate) fn resolver(&self) -> Dns {
        self.dns.clone()
    }

    /// A connection to a destination: one that was idle, or a new one.
    async fn lease(&self, destination: &route::Destination) -> Result<Lease, OutError> {
        let mut lease = self.pools.place(destination.key()).await?;
        if !lease.take_idle().await {
            self.renew(&mut lease, destination).await?;
        }
        Ok(lease)
    }

    /// Replaces a lease's connection by a new one.
    async fn renew(
        &self,
        lease: &mut Lease,
        destination: &route::Destination,
    ) -> Result<(), OutError> {
        lease.drop_connection();
        lease.set(self.connect(destination).await?);
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
