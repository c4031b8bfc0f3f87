//! The groups of one connector that can give a claim, in order.

use super::group::GroupId;
use concord_base::Timestamp;
use std::collections::BTreeSet;

type Groups = BTreeSet<(Timestamp, GroupId)>;

/// Which deliveries of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Suspects,
    /// The place of [`concord_transport::Urgency::ALL`].
    Urgency(usize),
}

/// Where a group stands: when it can give what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub proven: bool,
    /// By urgency.
    pub due: [Option<Timestamp>; 3],
    pub suspect: Option<Timestamp>,
}

#[derive(Debug)]
pub(super) struct Order {
    proven: [Groups; 3],
    /// Not known to be reached; they get fewer places (see
    /// [`concord_transport::ClaimLimits`]).
    unproven: [Groups; 3],
    suspects: Groups,
    /// Claims of one group at once, as the last call said.
    pub per_group: usize,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            proven: Default::default(),
            unproven: Default::default(),
            suspects: Groups::new(),
            per_group: usize::MAX,
        }
    }
}

impl Order {
    pub fn replace(&mut self, group: GroupId, from: &Place, to: &Place) {
        if let Some(at) = from.suspect {
            self.suspects.remove(&(at, group));
        }
        for (set, at) in self.sets(from.proven).iter_mut().zip(from.due) {
            if let Some(at) = at {
                set.remove(&(at, group));
            }
        }
        if let Some(at) = to.suspect {
            self.suspects.insert((at, group));
        }
        for (set, at) in self.sets(to.proven).iter_mut().zip(to.due) {
            if let Some(at) = at {
                set.insert((at, group));
            }
        }
    }

    const fn sets(&mut self, proven: bool) -> &mut [Groups; 3] {
        if proven { &mut self.proven } else { &mut self.unproven }
    }

    /// The group whose turn it is: one with a suspect, else the most urgent, of
    /// these the one that is due for longest.
    pub fn first(&self, now: Timestamp, unproven: bool, suspects: bool) -> Option<(GroupId, Of)> {
        let due = |set: &Groups| set.first().copied().filter(|(at, _)| *at <= now);
        if suspects && let Some((_, group)) = due(&self.suspects) {
            return Some((group, Of::Suspects));
        }
        let mut sets = self.proven.iter().zip(&self.unproven).enumerate();
        sets.find_map(|(place, (proven, others))| {
            let other = due(others).filter(|_| unproven);
            let first = due(proven).into_iter().chain(other).min();
            first.map(|(_, group)| (group, Of::Urgency(place)))
        })
    }

    /// When the first of all of them is due.
    pub fn earliest(&self, unproven: bool, suspects: bool) -> Option<Timestamp> {
        let firsts = self.proven.iter().chain(self.unproven.iter().filter(|_| unproven));
        let firsts = firsts.chain(suspects.then_some(&self.suspects));
        firsts.filter_map(|set| set.first()).map(|(at, _)| *at).min()
    }
}
