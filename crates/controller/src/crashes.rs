//! The crash budget and the back-off. Pure: time comes in.

use crate::spec::Supervision;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// Crashes of one service that still count.
#[derive(Debug, Default)]
pub(crate) struct Crashes {
    recent: VecDeque<Instant>,
}

impl Crashes {
    /// Counts one more. Whether the budget is used up.
    pub(crate) fn count(&mut self, now: Instant, limits: &Supervision) -> bool {
        self.expire(now, limits.crash_window);
        self.recent.push_back(now);
        u64::try_from(self.recent.len()).unwrap_or(u64::MAX) >= limits.crash_budget
    }

    /// Wait before the next start: the minimum after the first crash in the
    /// window, doubled by each further one, at most the maximum.
    pub(crate) fn back_off(&mut self, now: Instant, limits: &Supervision) -> Duration {
        self.expire(now, limits.crash_window);
        let doublings = u32::try_from(self.recent.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let factor = 2u32.saturating_pow(doublings);
        limits.back_off_min.saturating_mul(factor).min(limits.back_off_max)
    }

    pub(crate) fn forget(&mut self) {
        self.recent.clear();
    }

    fn expire(&mut self, now: Instant, window: Duration) {
        while self.recent.front().is_some_and(|at| now.duration_since(*at) > window) {
            self.recent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Supervision {
        Supervision {
            start_time: Duration::from_secs(1),
            stop_time: Duration::from_secs(1),
            watchdog: Duration::ZERO,
            crash_budget: 4,
            crash_window: Duration::from_secs(60),
            back_off_min: Duration::from_millis(100),
            back_off_max: Duration::from_millis(350),
        }
    }

    #[test]
    fn waits_double_up_to_the_maximum_and_the_budget_ends() {
        let (mut crashes, limits, now) = (Crashes::default(), limits(), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..3 {
            assert!(!crashes.count(now, &limits));
            waits.push(crashes.back_off(now, &limits).as_millis());
        }
        assert_eq!(waits, [100, 200, 350]);
        assert!(crashes.count(now, &limits), "the fourth uses up a budget of four");
    }

    #[test]
    fn old_crashes_do_not_count() {
        let (mut crashes, limits, now) = (Crashes::default(), limits(), Instant::now());
        for minute in 0..20 {
            let at = now + Duration::from_secs(61 * minute);
            assert!(!crashes.count(at, &limits));
            assert_eq!(crashes.back_off(at, &limits), limits.back_off_min);
        }
    }

    #[test]
    fn many_crashes_do_not_overflow() {
        let (mut crashes, mut limits, now) = (Crashes::default(), limits(), Instant::now());
        limits.crash_budget = u64::MAX;
        for _ in 0..1000 {
            assert!(!crashes.count(now, &limits));
        }
        assert_eq!(crashes.back_off(now, &limits), limits.back_off_max);
    }
}
