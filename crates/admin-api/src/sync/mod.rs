//! Directory synchronisation, running.
//!
//! `dirsync` plans and `connector` speaks with the foreign side; here both are
//! bound to the directory.
//!
//! - [`Runs`]: one run at a time for each connector, who asks meanwhile joins it
//!   (Q199176). What became of the last ones is kept with the connector.
//! - [`drive`]: a run from its beginning to its end. The connector is told step
//!   by step what comes next; nothing of a run is durable but what it changed, so
//!   a run that breaks off harms nothing, and the next one finishes the work.
//! - [`schedule`]: runs that nobody asks for.
//!
//! The directory's writer is held for one batch, never for a run.

mod apply;
mod drive;
mod error;
mod export;
mod history;
mod import;
mod kinds;
mod links;
mod object;
mod order;
mod run;
mod schedule;
mod seam;
mod settings;
mod snapshot;

pub use error::SyncError;

pub(crate) use drive::{AskedBy, begin, name_of, updates};
pub(crate) use history::read as read_history;
pub(crate) use run::{Intake, Runs};
pub(crate) use schedule::run as run_schedule;
