//! The places of a dispatcher: how much it does at once.

use crate::config::DispatchLimits;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// An attempt that takes longer than this waits for a host that is slow or not
/// there; it gives its place to others. A host that is well answers sooner.
const SLOW_AFTER: Duration = Duration::from_secs(5);
/// The same for a destination that is not known to be there: a host that is
/// well has greeted by then, and behind each that is not others wait to be tried
/// out.
const SILENT_AFTER: Duration = Duration::from_secs(1);
/// An attempt's number, growing with time.
pub(super) type AttemptId = u64;

/// Who has a place. Destinations that are not known to be there have at most
/// every other one, so that those that are never wait for them.
#[derive(Debug)]
pub(super) struct Places {
    limits: DispatchLimits,
    /// When they began, at destinations that are known to be there.
    proven: BTreeMap<AttemptId, Instant>,
    /// The same, at others.
    unproven: BTreeMap<AttemptId, Instant>,
    slow: BTreeSet<AttemptId>,
    next: AttemptId,
}

impl Places {
    pub const fn new(limits: DispatchLimits) -> Self {
        Self {
            limits,
            proven: BTreeMap::new(),
            unproven: BTreeMap::new(),
            slow: BTreeSet::new(),
            next: 0,
        }
    }

    /// An attempt begins.
    pub fn begin(&mut self, now: Instant, proven: bool) -> AttemptId {
        let id = self.next;
        self.next += 1;
        if proven {
            self.proven.insert(id, now);
        } else {
            self.unproven.insert(id, now);
        }
        id
    }

    /// An attempt has ended.
    pub fn end(&mut self, id: AttemptId) {
        if self.proven.remove(&id).is_none() && self.unproven.remove(&id).is_none() {
            self.slow.remove(&id);
        }
    }

    /// Attempts that have become slow give their places up.
    pub fn age(&mut self, now: Instant) {
        for (young, after) in [(&mut self.unproven, SILENT_AFTER), (&mut self.proven, SLOW_AFTER)] {
            while self.slow.len() < self.limits.slow()
                && let Some(first) = young.first_entry()
                && now.saturating_duration_since(*first.get()) >= after
            {
                self.slow.insert(first.remove_entry().0);
            }
        }
    }

    /// When the next attempt becomes slow, if it then gives its place up.
    pub fn next_ageing(&self) -> Option<Instant> {
        if self.slow.len() >= self.limits.slow() {
            return None;
        }
        let first = |young: &BTreeMap<AttemptId, Instant>, after| {
            young.first_key_value().and_then(|(_, began)| began.checked_add(after))
        };
        let both = [first(&self.unproven, SILENT_AFTER), first(&self.proven, SLOW_AFTER)];
        both.into_iter().flatten().min()
    }

    /// Attempts that have places.
    fn young(&self) -> usize {
        self.proven.len() + self.unproven.len()
    }

    /// Attempts that run.
    pub fn running(&self) -> usize {
        self.young() + self.slow.len()
    }

    /// Free places.
    pub fn room(&self) -> usize {
        self.limits.total.saturating_sub(self.young())
    }

    /// Places that destinations may have which are not known to be there.
    pub fn unproven_room(&self) -> usize {
        let most = self.limits.total.div_ceil(2);
        most.saturating_sub(self.unproven.len()).min(self.room())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_attempts_give_their_places_up_until_there_are_too_many() {
        let start = Instant::now();
        let mut places = Places::new(DispatchLimits { total: 2, per_group: 2 });
        for round in 0..10u32 {
            let now = start + SLOW_AFTER * round;
            places.age(now);
            assert_eq!(places.room(), 2, "round {round}");
            places.begin(now, true);
            places.begin(now, true);
        }
        assert_eq!(places.running(), 20);
        places.age(start + SLOW_AFTER * 10);
        let ids: Vec<_> = (0..2).map(|_| places.begin(start + SLOW_AFTER * 10, true)).collect();
        places.age(start + SLOW_AFTER * 19);
        assert_eq!((places.room(), places.next_ageing()), (0, None), "20 slow ones are enough");
        places.end(ids[0]);
        assert_eq!(places.room(), 1);
        places.end(0);
        assert!(places.next_ageing().is_some());
    }

    #[test]
    fn unproven_destinations_have_at_most_every_other_place() {
        let now = Instant::now();
        let mut places = Places::new(DispatchLimits { total: 4, per_group: 2 });
        assert_eq!(places.unproven_room(), 2);
        places.begin(now, false);
        places.begin(now, false);
        assert_eq!((places.unproven_room(), places.room()), (0, 2));
        assert_eq!(places.next_ageing(), Some(now + SILENT_AFTER));
        places.age(now + SILENT_AFTER);
        assert_eq!((places.unproven_room(), places.room()), (2, 4));
        for _ in 0..3 {
            let _ = places.begin(now, true);
        }
        assert_eq!(places.unproven_room(), 1);
    }
}
