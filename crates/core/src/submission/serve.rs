//! Accepting connectors.

use super::handler::Handler;
use crate::config::CoreConfig;
use crate::on_demand::OnDemand;
use crate::routing::Routing;
use concord_base::Clock;
use concord_directory::Directory;
use concord_sasl::{Mechanism, PasswordGate};
use concord_smtp::Extensions;
use concord_smtp_tokio::{ConnectionInfo, MaybeTls, Mode, Peer, ServerProfile};
use concord_store::Store;
use concord_transport::Queue;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// After a failed accept (no file descriptors), so that it does not spin.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Connectors put a trace header in front of a message that was within the
/// limit when it came.
const TRACE_OCTETS: u64 = 4 << 10;

/// What all sessions of the submission server share.
pub(crate) struct Submission {
    pub config: CoreConfig,
    pub directory: Arc<dyn Directory>,
    pub routing: Routing,
    pub store: Arc<dyn Store>,
    pub queue: Arc<dyn Queue>,
    pub gate: Arc<PasswordGate>,
    pub clock: Arc<dyn Clock>,
    pub on_demand: OnDemand,
}

fn profile(config: &CoreConfig) -> ServerProfile {
    let profile = ServerProfile::new(config.hostname.clone(), Mode::Internal);
    ServerProfile {
        extensions: Extensions { auth: true, etrn: true, ..profile.extensions },
        mechanisms: Mechanism::ALL.iter().map(|m| m.name().to_owned()).collect(),
        size_limit: config.message_size.saturating_add(TRACE_OCTETS),
        max_recipients: config.recipients,
        ..profile
    }
}

/// Serves until `shutdown`; transactions that run are finished.
pub(crate) async fn serve(
    listener: UnixListener,
    submission: Arc<Submission>,
    shutdown: CancellationToken,
) {
    let profile = Arc::new(profile(&submission.config));
    let sessions = TaskTracker::new();
    loop {
        let stream = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connector");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                    continue;
                }
            },
        };
        let (profile, shutdown) = (Arc::clone(&profile), shutdown.clone());
        let mut handler = Handler::new(Arc::clone(&submission));
        sessions.spawn(async move {
            let connection = ConnectionInfo { peer: Peer::Unix, local: None };
            let stream = MaybeTls::Plain(stream);
            concord_smtp_tokio::serve(stream, connection, profile, None, &mut handler, shutdown)
                .await;
        });
    }
    sessions.close();
    sessions.wait().await;
}
