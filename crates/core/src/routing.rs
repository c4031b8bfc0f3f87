//! The routing table as it is now: built from the directory, made anew when
//! that changes, and what is known of the connectors' health.

use concord_address::TypedAddress;
use concord_directory::{Directory, DirectoryError, Kind, Object, Routes, Situation, Tree};
use concord_transport::Destination;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// What the directory says of routing at one moment.
#[derive(Debug)]
pub(crate) struct Table {
    pub routes: Arc<Routes>,
    pub tree: Tree,
}

pub(crate) struct Routing {
    directory: Arc<dyn Directory>,
    changed: watch::Receiver<u64>,
    /// The table, and the count of changes that it was built after.
    kept: Mutex<Option<(u64, Arc<Table>)>>,
    /// Connectors that could not be reached when it was last tried.
    down: watch::Sender<Arc<BTreeSet<String>>>,
    least_cost_only: bool,
    turn: AtomicU64,
}

impl Routing {
    pub fn new(directory: Arc<dyn Directory>, least_cost_only: bool) -> Self {
        let changed = directory.directory_changed();
        let (kept, down) = (Mutex::new(None), watch::Sender::default());
        Self { directory, changed, kept, down, least_cost_only, turn: AtomicU64::new(0) }
    }

    /// The table that holds every finished change of the directory.
    pub async fn table(&self) -> Result<Arc<Table>, DirectoryError> {
        // Before the read: a change between the two only builds it once more.
        let count = *self.changed.borrow();
        let before = self.kept().clone();
        if let Some((built_after, table)) = &before
            && *built_after == count
        {
            return Ok(Arc::clone(table));
        }
        let routes = Routes::new(&self.directory.list(Kind::Connector).await?);
        // Most changes are not of connectors: who compares sees the same table.
        let routes = match before {
            Some((_, table)) if *table.routes == routes => Arc::clone(&table.routes),
            _ => Arc::new(routes),
        };
        let tree = Tree::read(&*self.directory).await?;
        let table = Arc::new(Table { routes, tree });
        *self.kept() = Some((count, Arc::clone(&table)));
        Ok(table)
    }

    /// The routing table alone.
    pub async fn routes(&self) -> Result<Arc<Routes>, DirectoryError> {
        Ok(Arc::clone(&self.table().await?.routes))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<(u64, Arc<Table>)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the choice of a way depends on now, for a message of this sender.
    pub fn situation(&self, table: &Table, sender: Option<&Object>) -> Situation {
        let place = sender.and_then(|sender| sender.policy.container);
        Situation {
            scopes: table.tree.path(place).into_iter().map(str::to_owned).collect(),
            down: self.down.borrow().clone(),
            least_cost_only: self.least_cost_only,
            turn: self.turn.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Tells whether a connector could be reached.
    pub fn reached(&self, connector: &str, reached: bool) {
        if self.down.borrow().contains(connector) != reached {
            return;
        }
        self.down.send_modify(|down| {
            let down = Arc::make_mut(down);
            if reached {
                down.remove(connector)
            } else {
                down.insert(connector.to_owned())
            };
        });
        if reached {
            tracing::info!(connector, "the connector can be reached again");
        } else {
            tracing::warn!(
                connector,
                "the connector cannot be reached; mail goes other ways if there are some"
            );
        }
    }

    /// Has those who watch [`Self::down`] look again.
    pub fn look_again(&self) {
        self.down.send_modify(|_| {});
    }

    /// Connectors that cannot be reached, and news of them.
    pub fn down(&self) -> watch::Receiver<Arc<BTreeSet<String>>> {
        self.down.subscribe()
    }
}

/// Where an address of another system goes; `None` if no connector carries it.
pub(crate) fn destination(
    routes: &Routes,
    address: &TypedAddress,
    situation: &Situation,
) -> Option<Destination> {
    let route = routes.choose(address, situation)?;
    Some(Destination::Connector { connector: route.connector, group: route.group })
}
