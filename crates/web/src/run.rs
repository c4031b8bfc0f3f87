//! The service as a whole.

use crate::answer::Scheme;
use crate::config::{Sockets, WebConfig};
use crate::error::WebError;
use crate::listen::{Shared, accept};
use std::net::TcpListener;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Runs the service until `stop` is cancelled; then requests that run are
/// finished, within the configured time. `ready` is called when it serves.
///
/// # Errors
/// An inherited socket cannot be used. Once it runs, it does not fail.
pub async fn run(
    config: WebConfig,
    sockets: Sockets,
    stop: CancellationToken,
    ready: impl FnOnce(),
) -> Result<(), WebError> {
    let shared = Shared::new(config.clone());
    let config = Arc::new(config);
    let (accepting, tasks) = (TaskTracker::new(), TaskTracker::new());
    for (scheme, what, listeners) in
        [(Scheme::Http, "http", sockets.http), (Scheme::Https, "https", sockets.https)]
    {
        for listener in listeners {
            let listener = taken(listener, what)?;
            accepting.spawn(accept(
                listener,
                scheme,
                Arc::clone(&shared),
                tasks.clone(),
                stop.clone(),
            ));
        }
    }
    for listener in sockets.admin {
        let fail = |cause| WebError::Socket { what: "web", cause };
        listener.set_nonblocking(true).map_err(fail)?;
        let listener = tokio::net::UnixListener::from_std(listener).map_err(fail)?;
        let (config, tasks, stop) = (Arc::clone(&config), tasks.clone(), stop.clone());
        accepting.spawn(crate::admin::serve(listener, config, tasks, stop));
    }
    ready();
    tokio::select! {
        () = renew(&config) => {}
        () = stop.cancelled() => {}
    }
    accepting.close();
    accepting.wait().await;
    tasks.close();
    if tokio::time::timeout(config.stop_time, tasks.wait()).await.is_err() {
        tracing::info!("requests that take too long are cut off");
    }
    Ok(())
}

/// Never ends.
async fn renew(config: &WebConfig) {
    config.go_ahead.cancelled().await;
    match &config.renewer {
        Some(renewer) => renewer.run().await,
        None => std::future::pending().await,
    }
}

fn taken(listener: TcpListener, what: &'static str) -> Result<tokio::net::TcpListener, WebError> {
    let fail = |cause| WebError::Socket { what, cause };
    listener.set_nonblocking(true).map_err(fail)?;
    tokio::net::TcpListener::from_std(listener).map_err(fail)
}
