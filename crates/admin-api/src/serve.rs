//! Serving on a Unix socket.

use crate::{AdminApi, router};
use std::future::{Future, IntoFuture};
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::sync::watch;

/// What requests get to finish after the shutdown began. Maintenance that
/// takes longer is cut; it can be asked for again.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves until `shutdown` is over, then lets requests finish for up to five
/// seconds. Who may connect is decided by the mode of the socket's file.
///
/// # Errors
/// The listener's.
pub async fn serve(
    listener: UnixListener,
    api: AdminApi,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (stopping, mut stopped) = watch::channel(false);
    let server = axum::serve(listener, router(api)).with_graceful_shutdown(async move {
        shutdown.await;
        // Nobody listens only if the server has ended already.
        let _ = stopping.send(true);
    });
    let drained = async move {
        if stopped.wait_for(|stopped| *stopped).await.is_ok() {
            tokio::time::sleep(DRAIN).await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        ended = server.into_future() => ended,
        () = drained => Ok(()),
    }
}
