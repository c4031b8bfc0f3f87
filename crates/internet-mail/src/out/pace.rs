//! How much a destination takes, as it has shown. Additive increase,
//! multiplicative decrease: what congestion control of TCP does with segments
//! (RFC 5681 section 3.1) is done here with connections. Pure: the time is given.

use std::time::Duration;
use tokio::time::Instant;

/// The first rest of a destination that refuses even a single connection.
const FIRST_REST: Duration = Duration::from_secs(5);
/// The longest: a host that is well again is found within it.
const LONGEST_REST: Duration = Duration::from_secs(300);
const MINUTE: Duration = Duration::from_secs(60);

/// What the policy allows for a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Connections at once.
    pub(crate) connections: usize,
    /// Messages a minute, evenly spread.
    pub(crate) per_minute: Option<u32>,
    /// Messages on one connection.
    pub(crate) per_connection: u32,
}

/// Whether there is a place now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// It is taken.
    Taken,
    /// Not before then.
    Not(Instant),
    /// When somebody leaves.
    Full,
}

/// What is known of a destination.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pace {
    /// Connections in use.
    busy: usize,
    /// How many fewer connections than the terms allow; 0 until it complains.
    withheld: usize,
    /// Messages that it took since the last raise.
    taken: usize,
    lowered: Option<Instant>,
    rest: Duration,
    rests_until: Option<Instant>,
    next_message: Option<Instant>,
}

impl Pace {
    /// Connections at once now.
    pub(super) fn window(&self, terms: &Terms) -> usize {
        terms.connections.saturating_sub(self.withheld).max(1)
    }

    pub(super) const fn busy(&self) -> usize {
        self.busy
    }

    /// Until when nothing is sent.
    pub(super) fn rests_until(&self, now: Instant) -> Option<Instant> {
        self.rests_until.filter(|until| *until > now)
    }

    /// Whether it gets less than the terms allow.
    pub(super) fn is_slowed(&self, now: Instant) -> bool {
        self.withheld > 0 || self.rests_until(now).is_some()
    }

    /// Takes a place for a message, if there is one.
    pub(super) fn enter(&mut self, terms: &Terms, now: Instant) -> Entry {
        if let Some(until) = self.rests_until(now) {
            return Entry::Not(until);
        }
        if self.busy >= self.window(terms) {
            return Entry::Full;
        }
        if let Some(rate) = terms.per_minute {
            if let Some(next) = self.next_message.filter(|next| *next > now) {
                return Entry::Not(next);
            }
            let between = MINUTE.checked_div(rate).unwrap_or(MINUTE);
            self.next_message = now.checked_add(between);
        }
        self.busy = self.busy.saturating_add(1);
        Entry::Taken
    }

    /// Gives a place back.
    pub(super) fn leave(&mut self) {
        self.busy = self.busy.saturating_sub(1);
    }

    /// It took a message. True if it gets a connection more from now on.
    pub(super) fn took(&mut self, terms: &Terms) -> bool {
        self.rest = Duration::ZERO;
        self.rests_until = None;
        if self.withheld == 0 {
            return false;
        }
        self.taken = self.taken.saturating_add(1);
        if self.taken < self.window(terms) {
            return false;
        }
        self.taken = 0;
        self.withheld = self.withheld.saturating_sub(1);
        true
    }

    /// It said to somebody who began then that this is too much. True if that is
    /// news: of those who began together the first one counts.
    pub(super) fn complained(&mut self, terms: &Terms, began: Instant, now: Instant) -> bool {
        if self.lowered.is_some_and(|at| began <= at) {
            return false;
        }
        self.lowered = Some(now);
        self.taken = 0;
        let used = self.window(terms).min(self.busy.max(1));
        let window = (used / 2).max(1);
        self.withheld = terms.connections.saturating_sub(window);
        if used <= 1 {
            let longer = self.rest.saturating_mul(2);
            self.rest = longer.clamp(FIRST_REST, LONGEST_REST);
            self.rests_until = now.checked_add(self.rest);
        }
        true
    }

    /// Whether nothing would be lost by forgetting it.
    pub(super) fn is_plain(&self, now: Instant) -> bool {
        self.busy == 0 && !self.is_slowed(now) && self.next_message.is_none_or(|next| next <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms { connections: 8, per_minute: None, per_connection: 100 };

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn complaints_halve_and_success_raises_again() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        for _ in 0..8 {
            assert_eq!(pace.enter(&TERMS, now), Entry::Taken);
        }
        assert_eq!(pace.enter(&TERMS, now), Entry::Full);
        assert!(pace.complained(&TERMS, now, after(now, 1)));
        assert!(!pace.complained(&TERMS, now, after(now, 1)), "one burst counts once");
        assert_eq!(pace.window(&TERMS), 4);
        assert!(pace.complained(&TERMS, after(now, 2), after(now, 2)));
        assert_eq!(pace.window(&TERMS), 2);
        for _ in 0..7 {
            pace.leave();
        }
        assert_eq!(pace.enter(&TERMS, after(now, 2)), Entry::Taken);
        assert_eq!(pace.enter(&TERMS, after(now, 2)), Entry::Full);
        // One connection more for each round of the window.
        let raises: Vec<bool> = (0..9).map(|_| pace.took(&TERMS)).collect();
        assert_eq!(raises.iter().filter(|raised| **raised).count(), 3, "{raises:?}");
        assert_eq!(pace.window(&TERMS), 5);
    }

    #[test]
    fn who_refuses_a_single_connection_gets_a_rest_that_grows_and_ends() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        let mut rests = Vec::new();
        for _ in 0..9 {
            assert_eq!(pace.enter(&TERMS, now), Entry::Taken);
            assert!(pace.complained(&TERMS, now, now));
            pace.leave();
            let Entry::Not(until) = pace.enter(&TERMS, now) else { panic!("no rest") };
            rests.push((until - now).as_secs());
            now = until;
        }
        assert_eq!(rests, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
        assert_eq!(pace.enter(&TERMS, now), Entry::Taken);
        pace.took(&TERMS);
        assert!(pace.complained(&TERMS, after(now, 1), after(now, 2)));
        assert_eq!(pace.rests_until(after(now, 2)), Some(after(now, 7)), "the rest begins anew");
    }

    #[test]
    fn messages_a_minute_are_spread_evenly() {
        let terms = Terms { per_minute: Some(6), ..TERMS };
        let (mut pace, start) = (Pace::default(), Instant::now());
        let mut sent = Vec::new();
        let mut now = start;
        while sent.len() < 5 {
            match pace.enter(&terms, now) {
                Entry::Taken => {
                    sent.push((now - start).as_secs());
                    pace.leave();
                }
                Entry::Not(until) => now = until,
                Entry::Full => panic!("nobody is there"),
            }
        }
        assert_eq!(sent, [0, 10, 20, 30, 40]);
        assert!(!pace.is_plain(now) && pace.is_plain(after(now, 10)));
    }
}
