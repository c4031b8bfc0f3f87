//! One group: its deliveries in order, and what is known of its destination.

use super::order::{Of, Place};
use super::{MAX_RECIPIENTS, Waiting};
use concord_base::{DeliveryId, MessageId, Timestamp};
use concord_transport::{Group, PeerAnswer, SUSPECT_AFTER, Urgency};
use std::collections::BTreeSet;

pub(super) type GroupId = u32;

/// Deliveries of one message that became due together stand side by side.
type Key = (Timestamp, MessageId, DeliveryId);

/// A group that could not be reached.
#[derive(Debug)]
pub(super) struct Rest {
    pub until: Timestamp,
    pub why: PeerAnswer,
}

#[derive(Debug)]
pub(super) struct Known {
    pub name: Group,
    /// By urgency.
    order: [BTreeSet<Key>; 3],
    suspects: BTreeSet<Key>,
    /// Deliveries, whatever their state.
    pub deliveries: usize,
    /// Claims that are out.
    pub out: usize,
    pub rest: Option<Rest>,
    pub failures: u32,
    pub proven: bool,
    /// It waits until it is woken.
    pub parked: bool,
    /// Where it stands in its connector's order.
    pub stands: Place,
}

impl Known {
    pub fn new(name: Group) -> Self {
        Self {
            name,
            order: Default::default(),
            suspects: BTreeSet::new(),
            deliveries: 0,
            out: 0,
            rest: None,
            failures: 0,
            proven: false,
            parked: false,
            stands: Place::default(),
        }
    }

    fn set(&mut self, waiting: &Waiting) -> &mut BTreeSet<Key> {
        if waiting.now.crashes >= SUSPECT_AFTER {
            return &mut self.suspects;
        }
        let [urgent, normal, non_urgent] = &mut self.order;
        match waiting.urgency {
            Urgency::Urgent => urgent,
            Urgency::Normal => normal,
            Urgency::NonUrgent => non_urgent,
        }
    }

    pub fn put(&mut self, id: DeliveryId, waiting: &Waiting) {
        self.set(waiting).insert((waiting.now.next_attempt, waiting.message, id));
    }

    pub fn take(&mut self, id: DeliveryId, waiting: &Waiting) {
        self.set(waiting).remove(&(waiting.now.next_attempt, waiting.message, id));
    }

    /// Whoever wants it to be tried is heard at once.
    pub fn wake(&mut self) {
        self.rest = None;
        self.parked = false;
    }

    /// Whether its deliveries are not tried by themselves.
    pub const fn is_still(&self) -> bool {
        self.parked || self.rest.is_some()
    }

    /// Deliveries that are queued and not claimed.
    pub fn waiting(&self) -> u64 {
        let count: usize = self.order.iter().map(BTreeSet::len).sum();
        (count + self.suspects.len()) as u64
    }

    pub fn in_order(&self, urgency: Urgency) -> impl Iterator<Item = (DeliveryId, MessageId)> {
        let [urgent, normal, non_urgent] = &self.order;
        let set = match urgency {
            Urgency::Urgent => urgent,
            Urgency::Normal => normal,
            Urgency::NonUrgent => non_urgent,
        };
        set.iter().map(|(_, message, id)| (*id, *message))
    }

    /// Where it belongs in its connector's order.
    pub fn place(&self, per_group: usize) -> Place {
        // One attempt finds out whether a destination is there.
        let most = if self.proven { per_group } else { 1 };
        if self.parked || self.out >= most {
            return Place::default();
        }
        let from = self.rest.as_ref().map_or(Timestamp(i64::MIN), |rest| rest.until);
        let due = |set: &BTreeSet<Key>| set.first().map(|(at, ..)| from.max(*at));
        let [urgent, normal, non_urgent] = &self.order;
        Place {
            proven: self.proven,
            due: [due(urgent), due(normal), due(non_urgent)],
            suspect: due(&self.suspects),
        }
    }

    /// The deliveries of the claim that comes first.
    pub fn head(&self, of: Of, now: Timestamp) -> Vec<DeliveryId> {
        let set = match of {
            Of::Suspects => return self.suspects.first().map(|(.., id)| *id).into_iter().collect(),
            Of::Urgency(place) => self.order.get(place),
        };
        let Some(set) = set else { return Vec::new() };
        let Some((_, first, _)) = set.first() else { return Vec::new() };
        set.iter()
            .take_while(|(at, message, _)| message == first && *at <= now)
            .take(MAX_RECIPIENTS)
            .map(|(.., id)| *id)
            .collect()
    }
}
