//! Mail that is not tried, because its destination rests or waits to be asked
//! for: its senders are told of the delay, and it expires, all the same (Q184051).

use super::settle;
use crate::submission::Submission as Shared;
use crate::times;
use concord_directory::Routes;
use concord_transport::{Ages, Group, TransportError, Urgency};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often it is looked for. It costs a look at what rests, in memory.
const EVERY: Duration = Duration::from_secs(5);
/// Claims that are settled side by side, so that they share a sync.
const TOGETHER: usize = 100;

/// Runs until `shutdown`.
pub(crate) async fn run(shared: Arc<Shared>, shutdown: CancellationToken) {
    let mut generation = shared.config.policy.with_generation().1;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        let newest = shared.config.policy.with_generation().1;
        match shared.routing.routes().await {
            Ok(routes) => {
                if generation != newest {
                    // Whether they wait, and where they are reached, may be new.
                    for connector in routes.enabled() {
                        shared.queue.wake(connector, &|_| true);
                    }
                    generation = newest;
                }
                if let Err(error) = sweep(&shared, &routes).await {
                    tracing::error!(%error, "mail that waits cannot be judged");
                }
            }
            Err(error) => tracing::error!(%error, "the connectors cannot be read"),
        }
    }
}

/// Settles what has grown old.
pub(super) async fn sweep(shared: &Arc<Shared>, routes: &Routes) -> Result<(), TransportError> {
    let now = shared.clock.now();
    let ages = |group: &Group, urgency: Urgency| {
        let times = times::of_group(shared, routes, group, urgency);
        let delayed = times.delay_warning_after.map(|after| now - after);
        Ages { expired: now - times.expire_after, delayed }
    };
    loop {
        let claims = shared.queue.claim_aged(&ages, TOGETHER).await?;
        if claims.is_empty() {
            return Ok(());
        }
        let mut settling = tokio::task::JoinSet::new();
        for claim in claims {
            let shared = Arc::clone(shared);
            settling.spawn(async move { settle::aged(&shared, &claim).await });
        }
        settling.join_all().await;
    }
}

/// When nothing was said of a delivery yet.
pub(super) const NEVER_TRIED: &str = "the destination was not tried for it";
