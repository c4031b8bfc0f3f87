//! Metrics that are read off rather than counted.

use concord_engine::Embedded;
use concord_transport::Administer;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Scrapers come every 15 seconds or more seldom.
const EVERY: Duration = Duration::from_secs(5);

pub(crate) async fn run(engine: Arc<Embedded>, shutdown: CancellationToken) {
    let figures = engine.figures();
    loop {
        // records (acts) appended to the message log
        metrics::counter!("log_records_total").absolute(figures.records.load(Ordering::Relaxed));
        // syncs of the message log; records per sync is what group commit saves
        metrics::counter!("log_syncs_total").absolute(figures.syncs.load(Ordering::Relaxed));
        // octets appended to the message log
        metrics::counter!("log_octets_total").absolute(figures.octets.load(Ordering::Relaxed));
        // 1 while the index waits for free space
        metrics::gauge!("index_stalled").set(f64::from(u8::from(engine.is_stalled())));
        if let Ok(summary) = engine.summary().await {
            for (state, count) in [
                ("queued", summary.queued),
                ("held", summary.held),
                ("quarantined", summary.quarantined),
            ] {
                // deliveries by why they wait
                metrics::gauge!("queue_deliveries", "state" => state).set(count as f64);
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}
