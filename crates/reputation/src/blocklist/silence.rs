//! Lists that do not answer are left alone for a time.

use crate::limits::{SILENT_AFTER, SILENT_FOR};
use concord_base::Timestamp;
use std::collections::HashMap;

/// Lists that failed last, by zone: as many as the policy ever named while the
/// process lives.
#[derive(Debug, Default)]
pub(super) struct Silences(HashMap<String, Silence>);

#[derive(Debug)]
struct Silence {
    failures: u32,
    since: Timestamp,
}

impl Silences {
    pub(super) fn is_silent(&self, zone: &str, now: Timestamp) -> bool {
        self.0.get(zone).is_some_and(|silence| {
            // A clock that was turned back must not make it last.
            let before = silence.since > now;
            silence.failures >= SILENT_AFTER && !before && now.since(silence.since) < SILENT_FOR
        })
    }

    /// Says whether it is left alone from now on.
    pub(super) fn failed(&mut self, zone: &str, now: Timestamp) -> bool {
        let begin = || Silence { failures: 0, since: now };
        let silence = self.0.entry(zone.to_owned()).or_insert_with(begin);
        silence.failures = silence.failures.saturating_add(1);
        let again = silence.failures >= SILENT_AFTER;
        // Questions that were under way when it fell silent tell nothing new.
        let new = silence.failures == SILENT_AFTER || now.since(silence.since) >= SILENT_FOR;
        silence.since = now;
        again && new
    }

    pub(super) fn answered(&mut self, zone: &str) {
        self.0.remove(zone);
    }
}
