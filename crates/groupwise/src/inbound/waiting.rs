//! Files that cannot be taken now, and those that never will be.

use super::FromGroupWise;
use crate::gateway::Listed;
use crate::telemetry::{IN_FILES, UNFINISHED};
use concord_groupwise_api::{Unfinished, layout};
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::Instant;

/// A file that cannot be taken now is looked at again after this, doubled each
/// time up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A file that cannot be taken now.
#[derive(Debug)]
pub(super) struct Waiting {
    pub until: Instant,
    pause: Duration,
    told: bool,
}

impl FromGroupWise {
    pub(super) fn later(&mut self, file: &Listed, why: &str) {
        let now = Instant::now();
        let before = self.waiting.remove(&file.name);
        let pause = before.as_ref().map_or(FIRST_PAUSE, |w| (w.pause * 2).min(LONGEST_PAUSE));
        let mut told = before.is_some_and(|w| w.told);
        // One warning, once it lasts (Q242232).
        if !told && self.link.age(file) >= self.link.settings.unfinished_after {
            told = true;
            tracing::warn!(audience = "operator", file = file.name, why, "a file waits for long");
        } else {
            tracing::debug!(file = file.name, why, "a file waits");
        }
        let waiting = Waiting { until: now + pause, pause, told };
        self.waiting.insert(file.name.clone(), waiting);
    }

    /// A header that the gateway still writes, or will never write.
    pub(super) async fn not_ready(&mut self, file: &Listed, why: Unfinished) {
        let told = self.waiting.get(&file.name).is_some_and(|w| w.told);
        self.later(file, &why.to_string());
        let tells_now = self.waiting.get(&file.name).is_some_and(|w| w.told) && !told;
        if tells_now {
            let minutes = self.link.settings.unfinished_after.as_secs() / 60;
            let domain = &self.link.settings.foreign_domain;
            let hint = match why {
                Unfinished::Empty => format!(
                    "is the domain {domain} defined in GroupWise as External GroupWise rather than \
                     External Foreign, or is its object damaged? Delete it, make it anew, link \
                     it to the gateway"
                ),
                Unfinished::NoEnd | Unfinished::Hole => {
                    "does the gateway still run? Look at its screen and its log".to_owned()
                }
            };
            let text = format!(
                "the file {} in API_OUT is not whole after {minutes} minutes ({why}): {hint}",
                file.name
            );
            self.link.notice("groupwise.unfinished-file", &text).await;
        }
    }

    /// Into the quarantine, and somebody is told.
    pub(super) async fn put_aside(
        &mut self,
        file: &Listed,
        content: &[PathBuf],
        kind: &'static str,
        why: &str,
    ) {
        let (aside, paths, reason) = (file.clone(), content.to_vec(), why.to_owned());
        let moved = self
            .link
            .gateway
            .blocking(move |gateway| gateway.quarantine(layout::API_OUT, &aside, &paths, &reason))
            .await;
        match moved {
            Ok(place) => {
                metrics::counter!(IN_FILES, "kind" => kind, "outcome" => "quarantined")
                    .increment(1);
                if let Some(ledger) = &mut self.ledger {
                    ledger.ended(file);
                }
                let text = format!(
                    "a file from GroupWise was put aside as {}: {why}; look at it, and move it \
                     back into API_OUT to try it again",
                    place.display()
                );
                self.link.notice("groupwise.quarantined", &text).await;
            }
            Err(error) => self.later(file, &format!("it cannot be put aside: {error}")),
        }
    }

    pub(super) fn unfinished(&self) {
        let count = u32::try_from(self.waiting.len()).unwrap_or(u32::MAX);
        metrics::gauge!(UNFINISHED).set(f64::from(count));
        let root = self.link.gateway.root().display();
        (self.link.say)(&match count {
            0 => format!("carries mail with the gateway in {root}"),
            count => format!("carries mail with the gateway in {root}; {count} files wait"),
        });
    }
}
