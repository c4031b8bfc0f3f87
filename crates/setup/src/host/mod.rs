//! The machine as Setup acts on it. Every effect goes through here, so that a
//! test can stop a run before and after each of them.

mod entry;
mod files;
mod real;
mod system;
mod trip;

pub use entry::{Entry, EntryKey};
pub use files::{Access, access_of};
pub use real::RealSystem;
pub(crate) use real::block_on;
pub use system::{
    Account, ConnectorObject, DirectoryState, GeneratorObject, ObjectKey, ObjectState,
    ServiceState, StoreState, System, UnitState, UnitVerb,
};
pub use trip::{Countdown, Never, TripWire};

use crate::error::{Result, SetupError};
use crate::layout::Layout;
use concord_base::{Clock, Timestamp};
use std::path::Path;
use std::sync::Arc;

/// The machine: its files below a layout, everything else by [`System`].
pub struct Host {
    /// Where things are.
    pub layout: Layout,
    /// Users, units, services, directory.
    pub system: Box<dyn System>,
    trip: Arc<dyn TripWire>,
    clock: Arc<dyn Clock>,
}

impl Host {
    /// A host on which nothing stops a run.
    pub fn new(layout: Layout, system: Box<dyn System>, clock: Arc<dyn Clock>) -> Self {
        Self { layout, system, trip: Arc::new(Never), clock }
    }

    /// The same with a trip wire.
    #[must_use]
    pub fn with_trip(mut self, trip: Arc<dyn TripWire>) -> Self {
        self.trip = trip;
        self
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// One effect on files.
    pub(crate) fn effect<T>(
        &self,
        act: &'static str,
        path: &Path,
        effect: impl FnOnce() -> std::io::Result<T>,
    ) -> Result<T> {
        self.trip.before(act, &path.display().to_string())?;
        let done = effect().map_err(SetupError::io(act, path))?;
        self.trip.after(act, &path.display().to_string())?;
        Ok(done)
    }

    /// One effect on anything else.
    pub(crate) fn act<T>(
        &self,
        act: &'static str,
        on: &str,
        effect: impl FnOnce(&dyn System) -> Result<T>,
    ) -> Result<T> {
        self.trip.before(act, on)?;
        let done = effect(&*self.system)?;
        self.trip.after(act, on)?;
        Ok(done)
    }
}
