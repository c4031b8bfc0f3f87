//! Serving on Unix sockets.

use crate::api::Shared;
use crate::{AdminApi, ConnectorAccess, connectors, routes};
use axum::Router;
use std::future::{Future, IntoFuture};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What requests get to finish after the shutdown began. Maintenance that
/// takes longer is cut; it can be asked for again.
const DRAIN: Duration = Duration::from_secs(5);

/// The API over one set of domains, for every socket that it is served on.
#[derive(Clone)]
pub struct Server(Arc<Shared>);

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Server(..)")
    }
}

impl Server {
    /// The API over these.
    pub fn new(api: AdminApi) -> Self {
        Self(Shared::new(api))
    }

    /// The router of [`crate::ROUTES`].
    pub fn router(&self) -> Router {
        routes::router(Arc::clone(&self.0))
    }

    /// The router for connectors, which show tokens.
    pub fn connector_router(&self, access: ConnectorAccess) -> Router {
        connectors::router(Arc::clone(&self.0), access)
    }

    /// Gives every recipient the addresses that it lacks, as `POST
    /// /v1/generators/stamp` does. The core does so when it starts: a generator
    /// may have come while it did not run.
    ///
    /// # Errors
    /// The directory could not be read or written.
    pub async fn stamp_missing(&self) -> Result<crate::wire::Stamped, crate::ApiError> {
        crate::stamp::stamp_missing(&self.0).await
    }

    /// Synchronises directories when connectors are due, by the API's clock, until
    /// `stop`.
    pub async fn run_schedule(self, stop: CancellationToken) {
        crate::sync::run_schedule(self.0, stop).await;
    }

    /// How long a connector may give no sign of life before a run is given up; two
    /// minutes if nothing is said.
    pub fn set_patience(&self, patience: Duration) {
        let runs = &self.0.runs;
        *runs.patience.lock().unwrap_or_else(PoisonError::into_inner) = patience;
    }

    /// Serves administrators until `shutdown` is over, then lets requests finish
    /// for up to five seconds. Who may connect is decided by the mode of the
    /// socket's file.
    ///
    /// # Errors
    /// The listener's.
    pub async fn serve(
        self,
        listener: UnixListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        serve(listener, self.router(), shutdown).await
    }

    /// Serves connectors in the same way.
    ///
    /// # Errors
    /// The listener's.
    pub async fn serve_connectors(
        self,
        listener: UnixListener,
        access: ConnectorAccess,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let shared = Arc::clone(&self.0);
        let shutdown = async move {
            shutdown.await;
            shared.runs.stop.cancel();
            shared.board.close();
        };
        serve(listener, self.connector_router(access), shutdown).await
    }
}

async fn serve(
    listener: UnixListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (stopping, mut stopped) = watch::channel(false);
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
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
