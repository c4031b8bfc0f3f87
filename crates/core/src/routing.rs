//! The routing table as it is now: built from the directory, made anew when
//! that changes.

use concord_address::TypedAddress;
use concord_directory::{Directory, DirectoryError, Kind, Routes};
use concord_transport::Destination;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch::Receiver;

pub(crate) struct Routing {
    directory: Arc<dyn Directory>,
    changed: Receiver<u64>,
    /// The table, and the count of changes that it was built after.
    kept: Mutex<Option<(u64, Arc<Routes>)>>,
}

impl Routing {
    pub fn new(directory: Arc<dyn Directory>) -> Self {
        let changed = directory.directory_changed();
        Self { directory, changed, kept: Mutex::new(None) }
    }

    /// The table that holds every finished change of the directory.
    pub async fn routes(&self) -> Result<Arc<Routes>, DirectoryError> {
        // Before the read: a change between the two only builds it once more.
        let count = *self.changed.borrow();
        if let Some((built_after, routes)) = &*self.kept()
            && *built_after == count
        {
            return Ok(Arc::clone(routes));
        }
        let routes = Arc::new(Routes::new(&self.directory.list(Kind::Connector).await?));
        *self.kept() = Some((count, Arc::clone(&routes)));
        Ok(routes)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<(u64, Arc<Routes>)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where an address of another system goes; `None` if no connector carries it.
pub(crate) fn destination(routes: &Routes, address: &TypedAddress) -> Option<Destination> {
    let route = routes.route(address)?;
    Some(Destination::Connector { connector: route.connector, group: route.group })
}
