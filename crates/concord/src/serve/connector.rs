//! What the entry points of our connectors share: who they are and how they reach
//! the core, as the controller says it.

use super::Served;
use crate::failure::Failure;
use concord_base::{Fault, Retry};
use concord_connector::{ConnectorConfig, CoreApi};
use std::path::PathBuf;
use std::sync::Arc;

/// Mistakes in the settings stay until somebody mends them; everything else may
/// pass.
pub fn failure(error: impl Fault) -> Failure {
    match error.retry() {
        Retry::Operator => Failure::configuration(error),
        _ => Failure::from(error),
    }
}

/// How this connector reaches the core.
pub fn config(served: &Served) -> Result<ConnectorConfig, Failure> {
    let name = variable("CONCORD_CONNECTOR")?;
    let token = variable("CONCORD_API_TOKEN")?;
    let path = |name: &str, default: PathBuf| std::env::var_os(name).map_or(default, PathBuf::from);
    let (root, settings) = (&served.root, &served.settings);
    Ok(ConnectorConfig {
        api: CoreApi::new(path("CONCORD_API_SOCKET", root.api_socket()), &name, token),
        submit_socket: path("CONCORD_SUBMIT_SOCKET", root.submit_socket()),
        runtime: root.run(),
        message_size: settings.limits.message_size.0,
        stop_time: super::time_to_finish(settings),
        go_ahead: served.go_ahead.clone(),
        say: Arc::new(super::service::say),
        name,
    })
}

fn variable(name: &str) -> Result<String, Failure> {
    std::env::var(name).map_err(|_| {
        Failure::configuration(format!(
            "cannot serve: {name} is not set; services are started by the controller, run \
             'concord up'"
        ))
    })
}
