//! Directory synchronisation as a whole: the embedded engine, both Unix sockets,
//! and a small connector with a directory of its own.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

mod changes;
mod crowd;
mod foreign;
mod guard;
mod machine;
mod measure;
mod orders;
mod ownership;
mod runs;
