//! What is done now and then: old stories forgotten, segments compacted.

use concord_base::{Clock, Fault as _};
use concord_directory::Directory as _;
use concord_engine::Embedded;
use concord_transport::Administer;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between rounds. The first one waits as long, so that a core that restarts
/// often does not spend its time tidying.
const EVERY: Duration = Duration::from_secs(3_600);

/// How long things are remembered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retention {
    pub stories: Duration,
    pub removed: Duration,
}

pub(crate) async fn run(
    engine: Arc<Embedded>,
    clock: Arc<dyn Clock>,
    retention: Retention,
    compact_below: u8,
    shutdown: CancellationToken,
) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        if let Err(error) = engine.forget_removed(clock.now() - retention.removed).await {
            tracing::warn!(code = error.code(), %error, "removed objects cannot be forgotten");
        }
        match engine.forget_stories(clock.now() - retention.stories).await {
            Ok(0) => {}
            Ok(stories) => tracing::info!(stories, "old stories forgotten"),
            Err(error) => {
                tracing::warn!(code = error.code(), %error, "stories cannot be forgotten")
            }
        }
        match engine.compact(compact_below).await {
            Ok(report) if report.removed > 0 => tracing::info!(?report, "segments compacted"),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(code = error.code(), %error, "segments cannot be compacted")
            }
        }
    }
}
