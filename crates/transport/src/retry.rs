//! When to try again.

use concord_base::Timestamp;
use std::time::Duration;

/// The retry schedule and when to give up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Waits between attempts; the last one repeats. Not empty.
    pub schedule: Vec<Duration>,
    /// A message older than this fails (RFC 5321 section 4.5.4.1: at least 4-5 days).
    pub expire_after: Duration,
    /// The sender is told once a message is older than this; `None` is never.
    pub delay_warning_after: Option<Duration>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        let minutes = |m: u64| Duration::from_secs(m * 60);
        Self {
            schedule: [1, 5, 15, 30, 60, 120, 240].map(minutes).to_vec(),
            expire_after: Duration::from_secs(5 * 24 * 3600),
            delay_warning_after: Some(Duration::from_secs(4 * 3600)),
        }
    }
}

/// If the schedule is empty after all.
const FALLBACK_WAIT: Duration = Duration::from_secs(900);

impl RetryPolicy {
    /// When to try again after `attempts` failed attempts, the last one `now`.
    pub fn next_attempt(&self, attempts: u32, now: Timestamp) -> Timestamp {
        let place = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        let wait = self.schedule.get(place).or(self.schedule.last()).copied();
        now + wait.unwrap_or(FALLBACK_WAIT)
    }

    /// Whether a message received then is too old.
    pub fn expired(&self, received: Timestamp, now: Timestamp) -> bool {
        now.since(received) >= self.expire_after
    }

    /// Whether its sender should be told of the delay.
    pub fn delayed(&self, received: Timestamp, now: Timestamp) -> bool {
        self.delay_warning_after.is_some_and(|after| now.since(received) >= after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_wait_repeats() {
        let policy = RetryPolicy {
            schedule: vec![Duration::from_secs(1), Duration::from_secs(5)],
            ..Default::default()
        };
        let now = Timestamp::from_seconds(100);
        let at = |n| policy.next_attempt(n, now).seconds();
        assert_eq!([at(0), at(1), at(2), at(3), at(99)], [101, 101, 105, 105, 105]);
    }
}
