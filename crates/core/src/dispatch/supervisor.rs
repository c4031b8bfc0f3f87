//! A dispatcher for each enabled connector, and what becomes of deliveries
//! whose connector is gone or disabled.

use super::sessions::Sessions;
use super::{Dispatcher, LOOK_AGAIN, settle};
use crate::dead_end::CORE;
use crate::submission::Submission as Shared;
use concord_base::DeliveryId;
use concord_directory::{DirectoryError, Routes};
use concord_transport::{ClaimLimits, Group, TransportError};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// Deliveries given to other connectors in one commit.
const BATCH: usize = 1_000;
/// Deliveries that are put off side by side.
const TOGETHER: usize = 100;
/// Connectors that could not be reached are tried again so often, since no
/// delivery may be due for them that would notice.
const PROBE: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
enum RerouteError {
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

/// A dispatcher that runs.
struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

pub(crate) struct Supervisor {
    shared: Arc<Shared>,
    running: BTreeMap<String, Running>,
    /// Dispatchers that end because their connector is gone or disabled.
    ending: JoinSet<String>,
}

impl Supervisor {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared, running: BTreeMap::new(), ending: JoinSet::new() }
    }

    /// Runs until `shutdown`; then until all dispatchers have ended.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut changed = self.shared.directory.directory_changed();
        let mut down = self.shared.routing.down();
        let mut seen: Option<Arc<Routes>> = None;
        loop {
            changed.mark_unchanged();
            down.mark_unchanged();
            match self.shared.routing.routes().await {
                // Most changes of a directory are not of its connectors.
                Ok(routes) if seen.as_ref() != Some(&routes) => {
                    self.fit(&routes, &shutdown);
                    self.stranded(&routes).await;
                    seen = Some(routes);
                }
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "the connectors cannot be read"),
            }
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = changed.changed() => {}
                _ = down.changed() => seen = None,
                () = tokio::time::sleep(PROBE), if !down.borrow().is_empty() => {
                    self.probe(&down.borrow().clone());
                }
                // What it had in hand may be stranded now.
                Some(_) = self.ending.join_next() => seen = None,
                () = tokio::time::sleep(LOOK_AGAIN) => seen = None,
            }
        }
        for (_, running) in std::mem::take(&mut self.running) {
            let _ = running.task.await;
        }
        self.ending.join_all().await;
    }

    /// Starts and stops dispatchers until they are those of the table.
    fn fit(&mut self, routes: &Routes, shutdown: &CancellationToken) {
        let wanted: HashSet<&str> = routes.enabled().collect();
        let surplus = self.running.extract_if(.., |name, _| !wanted.contains(name.as_str()));
        for (name, running) in surplus {
            tracing::info!(connector = name, "the connector gets no more deliveries");
            running.stop.cancel();
            self.ending.spawn(async move {
                let _ = running.task.await;
                name
            });
        }
        for name in wanted {
            if self.running.contains_key(name) {
                continue;
            }
            let socket = (self.shared.config.deliver_socket)(name);
            let dispatcher = Dispatcher::new(name.to_owned(), socket, Arc::clone(&self.shared));
            let stop = shutdown.child_token();
            let task = tokio::spawn(dispatcher.run(stop.clone()));
            self.running.insert(name.to_owned(), Running { stop, task });
        }
    }

    /// Looks whether connectors that are down can be reached again.
    fn probe(&mut self, down: &BTreeSet<String>) {
        for name in down {
            if !self.running.contains_key(name) {
                self.shared.routing.reached(name, true);
                continue;
            }
            let socket = (self.shared.config.deliver_socket)(name);
            let shared = Arc::clone(&self.shared);
            let name = name.clone();
            tokio::spawn(async move {
                let sessions = Sessions::new(socket, shared.config.hostname.clone());
                if let Ok(session) = sessions.take().await {
                    sessions.give_back(session);
                    shared.routing.reached(&name, true);
                }
                sessions.close().await;
            });
        }
    }

    /// Deliveries of connectors that cannot be reached, and of those that get
    /// none any more: to others where one
    /// carries the address, else they wait for one, and expire as all do.
    async fn stranded(&self, routes: &Routes) {
        let waiting = match self.shared.queue.waiting_connectors().await {
            Ok(waiting) => waiting,
            Err(error) => return tracing::error!(%error, "the queue cannot be read"),
        };
        let enabled: HashSet<&str> = routes.enabled().collect();
        let down = self.shared.routing.down().borrow().clone();
        for connector in waiting {
            let is_enabled = enabled.contains(connector.as_str());
            if connector == CORE || is_enabled && !down.contains(&connector) {
                continue;
            }
            match self.reroute(&connector, routes).await {
                Ok(0) => {}
                Ok(moved) => {
                    tracing::info!(connector, moved, "deliveries go to other connectors");
                }
                Err(error) => tracing::error!(%error, connector, "deliveries are not rerouted"),
            }
            if !is_enabled {
                self.wait_for_a_way(&connector, routes).await;
            }
        }
    }

    async fn reroute(&self, connector: &str, routes: &Routes) -> Result<u64, RerouteError> {
        let (mut after, mut moved) = (DeliveryId(0), 0);
        loop {
            let page = self.shared.queue.unclaimed(connector, after, BATCH).await?;
            let Some(last) = page.last() else { return Ok(moved) };
            after = last.id;
            let table = self.shared.routing.table().await?;
            let mut to: Vec<(DeliveryId, Group)> = Vec::new();
            for delivery in &page {
                let situation = self.shared.routing.situation(&table, None);
                let Some(route) = routes.choose(&delivery.address, &situation) else { continue };
                if route.connector != connector {
                    let group = Group { connector: route.connector, group: route.group };
                    to.push((delivery.id, group));
                }
            }
            if !to.is_empty() {
                moved += self.shared.queue.reroute(to).await?;
            }
        }
    }

    /// Defers what is due, with the reason, as a connector would: so it is
    /// seen, warned of, and expires.
    async fn wait_for_a_way(&self, connector: &str, routes: &Routes) {
        let what = if routes.state(connector).is_some() { "disabled" } else { "gone" };
        loop {
            let now = self.shared.clock.now();
            let limits = ClaimLimits::most(TOGETHER);
            let claimed = self.shared.queue.claim(connector, now, &limits).await;
            let claims = match claimed {
                Ok(claims) if claims.is_empty() => return,
                Ok(claims) => claims,
                Err(error) => return tracing::error!(%error, "deliveries cannot be claimed"),
            };
            // Together, so that they share a sync.
            let mut settling = JoinSet::new();
            for claim in claims {
                let (shared, connector) = (Arc::clone(&self.shared), connector.to_owned());
                let why = format!("connector {connector} is {what}, and no other one carries");
                settling.spawn(async move {
                    settle::no_way(&shared, &connector, claim, &why).await;
                });
            }
            settling.join_all().await;
        }
    }
}
