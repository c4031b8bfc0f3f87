//! Runs that nobody asks for.
//!
//! A connector with `synchronise-minutes = 60` is synchronised at every full
//! hour: at moments of the clock, not so many minutes after the last run. So the
//! moments are known, do not wander, and need not be remembered. There is no grid
//! of quarters of an hour as the original had: any number of minutes will do.

use super::drive::{AskedBy, begin};
use super::settings::minutes;
use crate::api::Shared;
use crate::connectors::leave_notice;
use crate::wire::SyncOptions;
use concord_base::{Fault, Timestamp};
use concord_directory::Kind;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between looks at the clock; a run begins so much after its moment at most.
const TICK: Duration = Duration::from_secs(5);

/// Whether a moment at which a connector is due lies after `last` and not after
/// `now`.
pub(super) fn is_due(last: Timestamp, now: Timestamp, minutes: u64) -> bool {
    let period = i64::try_from(minutes).unwrap_or(i64::MAX).saturating_mul(60_000).max(1);
    now.0.div_euclid(period) > last.0.div_euclid(period)
}

/// Begins runs when they are due, until `stop`.
pub(crate) async fn run(shared: Arc<Shared>, stop: CancellationToken) {
    let mut last: HashMap<String, Timestamp> = HashMap::new();
    let start = shared.api.clock.now();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(TICK) => {}
        }
        let now = shared.api.clock.now();
        let connectors = match shared.api.directory.list(Kind::Connector).await {
            Ok(connectors) => connectors,
            Err(error) => {
                tracing::warn!(%error, "connectors cannot be listed for synchronisation");
                continue;
            }
        };
        for object in connectors {
            let Some(connector) = object.connector().filter(|connector| connector.enabled) else {
                continue;
            };
            let Some(minutes) = minutes(connector) else { continue };
            let before = last.entry(object.name.clone()).or_insert(start);
            if !is_due(*before, now, minutes) {
                continue;
            }
            *before = now;
            let begun =
                begin(&shared, &object.name, SyncOptions::default(), AskedBy::Schedule).await;
            if let Err(error) = begun {
                let text = format!("a run that was due cannot begin: {error}");
                let left = leave_notice(&shared, &object.name, error.code(), &text).await;
                if let Err(error) = left {
                    tracing::warn!(connector = object.name, %error, "a notice was not left");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    #[test]
    fn runs_are_due_at_moments_of_the_clock() {
        let due = |last: i64, now: i64, minutes| {
            is_due(Timestamp(last * MINUTE), Timestamp(now * MINUTE), minutes)
        };
        assert!(!due(61, 119, 60) && due(61, 120, 60) && due(119, 120, 60));
        assert!(due(60, 600, 60), "one that was missed is made up for once");
        assert!(!due(60, 60, 60) && !due(120, 60, 60), "a clock that is put back begins nothing");
        assert!(is_due(Timestamp(0), Timestamp(i64::MAX), 1) && !due(0, 5, u64::MAX));
    }
}
