//! A dispatcher for each enabled connector, and what becomes of deliveries
//! whose connector is gone or disabled.

use super::{Dispatcher, LOOK_AGAIN, settle};
use crate::submission::Submission as Shared;
use concord_base::DeliveryId;
use concord_directory::Routes;
use concord_transport::{Group, TransportError};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// Deliveries given to other connectors in one commit.
const BATCH: usize = 1_000;
/// Deliveries that are put off side by side.
const TOGETHER: usize = 100;
/// The name under which the core itself settles what nobody can take.
const CORE: &str = "core";

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
        let mut seen: Option<Arc<Routes>> = None;
        loop {
            changed.mark_unchanged();
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

    /// Deliveries of connectors that get none any more: to others where one
    /// carries the address, else they wait for one, and expire as all do.
    async fn stranded(&self, routes: &Routes) {
        let waiting = match self.shared.queue.waiting_connectors().await {
            Ok(waiting) => waiting,
            Err(error) => return tracing::error!(%error, "the queue cannot be read"),
        };
        let enabled: HashSet<&str> = routes.enabled().collect();
        for connector in waiting {
            if connector == CORE || enabled.contains(connector.as_str()) {
                continue;
            }
            match self.reroute(&connector, routes).await {
                Ok(0) => {}
                Ok(moved) => {
                    tracing::info!(connector, moved, "deliveries go to other connectors");
                }
                Err(error) => tracing::error!(%error, connector, "deliveries are not rerouted"),
            }
            self.wait_for_a_way(&connector, routes).await;
        }
    }

    async fn reroute(&self, connector: &str, routes: &Routes) -> Result<u64, TransportError> {
        let (mut after, mut moved) = (DeliveryId(0), 0);
        loop {
            let page = self.shared.queue.unclaimed(connector, after, BATCH).await?;
            let Some(last) = page.last() else { return Ok(moved) };
            after = last.id;
            let to: Vec<(DeliveryId, Group)> = page
                .iter()
                .filter_map(|delivery| {
                    let route = routes.route(&delivery.address)?;
                    let to = Group { connector: route.connector, group: route.group };
                    Some((delivery.id, to))
                })
                .collect();
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
            let none = HashSet::new();
            let claimed = self.shared.queue.claim(connector, now, &none, TOGETHER, true).await;
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
