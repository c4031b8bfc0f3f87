//! What every service's entry point shares: inherited sockets, log, signals,
//! and the words to the controller.

mod connector;
pub mod core;
pub mod groupwise;
pub mod internet_mail;
mod log;
mod open_files;
pub mod ovvm;
mod service;
mod sockets;
mod tls;
pub mod web;

pub use log::log_to_file;
pub use service::{Served, serve};

use concord_proxy_protocol::Proxies;
use concord_settings::Settings;
use std::sync::Arc;
use std::time::Duration;

/// Proxies in front of the listeners.
fn proxies(settings: &Settings) -> Arc<Proxies> {
    Arc::new(Proxies::new(settings.listen.proxies.clone()))
}

/// Time that a service gives its own work when it stops: a little less than
/// the stop time, so that it still ends by itself.
fn time_to_finish(settings: &Settings) -> Duration {
    settings.controller.stop_time.saturating_mul(4) / 5
}
