//! The API over its Unix socket and the embedded engine.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

mod connectors;
mod directory;
mod queue;
mod restore;
mod server;
