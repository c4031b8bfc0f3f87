//! Events within a time.

use concord_base::Timestamp;
use std::time::Duration;

/// Parts of a period. More make a place come back sooner, and take more memory.
const PARTS: i64 = 8;
/// The parts of a period, and the one that has begun.
const KEPT: usize = 9;

/// Counts events by parts of a period. What it counts covers at least the whole
/// period, so there are never more than the limit within any such time; a place
/// comes back an eighth of the period late at most.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Window {
    /// The newest part that has a count: parts since the epoch.
    newest: i64,
    /// The newest last.
    counts: [u32; KEPT],
}

fn length(within: Duration) -> i64 {
    let milliseconds = i64::try_from(within.as_millis()).unwrap_or(i64::MAX);
    // Rounded up, so that the parts cover the period.
    milliseconds.saturating_add(PARTS - 1).div_euclid(PARTS).max(1)
}

impl Window {
    /// Forgets what lies before the period.
    fn turn(&mut self, part: i64) {
        let passed = part.saturating_sub(self.newest);
        if passed < 0 {
            // The clock was turned back. By more than the period: what was
            // counted then would stand for ever.
            if passed < -PARTS {
                *self = Self { newest: part, ..Self::default() };
            }
            return;
        }
        let passed = usize::try_from(passed).unwrap_or(KEPT).min(KEPT);
        self.counts.rotate_left(passed % KEPT);
        for count in self.counts.iter_mut().rev().take(passed) {
            *count = 0;
        }
        self.newest = part;
    }

    /// How long until another event fits; `None` if it fits now.
    pub(super) fn wait(&mut self, most: u32, within: Duration, now: Timestamp) -> Option<Duration> {
        let length = length(within);
        self.turn(now.0.div_euclid(length));
        let mut sum: u64 = self.counts.iter().map(|count| u64::from(*count)).sum();
        if sum < u64::from(most) {
            return None;
        }
        // The oldest part that has to go before there is room again.
        let oldest = self.newest.saturating_sub(PARTS);
        let mut free_at = self.newest;
        for (index, count) in (0i64..).zip(self.counts) {
            sum = sum.saturating_sub(u64::from(count));
            if sum < u64::from(most) {
                free_at = oldest.saturating_add(index).saturating_add(PARTS + 1);
                break;
            }
        }
        let free_at = Timestamp(free_at.saturating_mul(length));
        Some(free_at.since(now).max(Duration::from_millis(1)))
    }

    pub(super) fn count(&mut self, within: Duration, now: Timestamp) {
        self.turn(now.0.div_euclid(length(within)));
        if let Some(newest) = self.counts.last_mut() {
            *newest = newest.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Never more than the limit within any period, and whoever waits as
        /// long as he was told gets in.
        #[test]
        fn a_limit_holds_in_every_period(
            most in 1u32..6,
            within in 1u64..5_000,
            steps in prop::collection::vec(0u64..1_500, 1..120),
            start in 0i64..2_000_000_000_000,
        ) {
            let within = Duration::from_millis(within);
            let mut window = Window::default();
            let mut now = Timestamp(start);
            let mut let_in: Vec<Timestamp> = Vec::new();
            for step in steps {
                now = now + Duration::from_millis(step);
                match window.wait(most, within, now) {
                    None => {
                        window.count(within, now);
                        let_in.push(now);
                        let recent = let_in.iter().filter(|at| now.since(**at) < within).count();
                        prop_assert!(recent <= most as usize);
                    }
                    Some(wait) => {
                        let late = within / 8 + Duration::from_millis(8);
                        prop_assert!(wait <= within + late, "{wait:?} of {within:?}");
                        let mut later = window;
                        prop_assert_eq!(later.wait(most, within, now + wait), None);
                        let oldest = let_in[let_in.len() - most as usize];
                        prop_assert!(now.since(oldest) < within + late, "a place is free too late");
                    }
                }
            }
        }
    }

    #[test]
    fn a_clock_turned_back_locks_nobody_out_for_ever() {
        let hour = Duration::from_secs(3600);
        let mut window = Window::default();
        let now = Timestamp::from_seconds(1_000_000_000);
        window.count(hour, now);
        assert!(window.wait(1, hour, now - Duration::from_secs(600)).is_some());
        assert!(window.wait(1, hour, now - Duration::from_secs(24 * 3600)).is_none());
    }
}
