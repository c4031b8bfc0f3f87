//! What waits and when it is due, in memory: so that claiming looks at the few
//! destinations whose turn it is, and not at every delivery.
//!
//! A *group* is a destination: deliveries of one connector that have one way.
//! Its deliveries stand in the order of their next attempt, apart by urgency;
//! groups that can give a claim stand in their connector's [`Order`]. A group
//! that could not be reached rests as a whole: its deliveries are not tried one
//! by one. All of it is derived from the index, by one scan at the start and by
//! what each commit changed (Q193862, Q199258: an index of its own that falls
//! behind shows mail that is not there).
//!
//! Invariant: a delivery stands in its group's order if it is queued and nobody
//! has claimed it, and nowhere else.

mod group;
mod order;
#[cfg(test)]
mod tests;

use concord_base::{DeliveryId, MessageId, Timestamp};
use concord_transport::{
    Ages, ClaimLimits, DeliveryState, Group, PeerAnswer, QueueSummary, Reachability, SUSPECT_AFTER,
    Urgency,
};
use group::{GroupId, Known, Rest};
use order::{Order, Place};
use std::collections::HashMap;

/// Recipients in one transaction (RFC 5321 section 4.5.3.1.8).
pub(crate) const MAX_RECIPIENTS: usize = 100;
/// Groups that are known though nothing waits for them, so that a destination
/// that was reached a moment ago need not be tried out again.
const KEEP_GROUPS: usize = 10_000;

/// What the schedule knows of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub message: MessageId,
    pub received: Timestamp,
    pub urgency: Urgency,
    pub now: Standing,
}

/// What changes of a delivery while it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub state: DeliveryState,
    pub next_attempt: Timestamp,
    pub attempts: u32,
    pub crashes: u32,
    pub delay_reported: bool,
}

/// What a commit did to the queue.
#[derive(Debug)]
pub(crate) enum Change {
    Added {
        id: DeliveryId,
        group: Group,
        waiting: Waiting,
    },
    Changed {
        id: DeliveryId,
        now: Standing,
        /// Somebody wants it to be tried: its group rests no more.
        wanted: bool,
    },
    Moved {
        id: DeliveryId,
        group: Group,
    },
    Removed(DeliveryId),
}

#[derive(Debug)]
struct Entry {
    waiting: Waiting,
    group: GroupId,
}

/// A number of a claim, for as long as it is out.
type ClaimId = u64;

/// What was claimed, to be read from the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picked {
    pub message: MessageId,
    pub group: Group,
    pub deliveries: Vec<DeliveryId>,
    pub suspect: bool,
    pub destination: Reachability,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    entries: HashMap<DeliveryId, Entry>,
    groups: HashMap<GroupId, Known>,
    names: HashMap<Group, GroupId>,
    orders: HashMap<String, Order>,
    /// Claimed deliveries; they may be removed before they are answered.
    claimed: HashMap<DeliveryId, ClaimId>,
    /// Groups of claims, and how many of their deliveries are not given back.
    claims: HashMap<ClaimId, (GroupId, usize)>,
    next_group: GroupId,
    next_claim: ClaimId,
}

impl Schedule {
    /// Takes over what commits changed, in their order.
    pub fn apply(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Added { id, group, waiting } => self.add(id, group, waiting),
                Change::Changed { id, now, wanted } => self.change(id, now, wanted),
                Change::Moved { id, group } => self.move_to(id, group),
                Change::Removed(id) => self.remove(id),
            }
        }
    }

    pub fn add(&mut self, id: DeliveryId, group: Group, waiting: Waiting) {
        let group = self.group(group);
        if let Some(known) = self.groups.get_mut(&group) {
            known.deliveries += 1;
            if !known.proven {
                // Who was tried in vain before the start was the destination's turn.
                known.failures = known.failures.max(waiting.now.attempts);
            }
        }
        self.entries.insert(id, Entry { waiting, group });
        self.put(id);
        self.refresh(group);
    }

    fn change(&mut self, id: DeliveryId, now: Standing, wanted: bool) {
        self.take(id);
        let Some(entry) = self.entries.get_mut(&id) else { return };
        entry.waiting.now = now;
        let group = entry.group;
        self.put(id);
        if wanted && let Some(known) = self.groups.get_mut(&group) {
            known.wake();
        }
        self.refresh(group);
    }

    fn move_to(&mut self, id: DeliveryId, group: Group) {
        self.take(id);
        let Some(entry) = self.entries.get(&id) else { return };
        let (from, to) = (entry.group, self.group(group));
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.group = to;
        }
        if let Some(known) = self.groups.get_mut(&to) {
            known.deliveries += 1;
        }
        self.put(id);
        self.refresh(to);
        self.left(from);
    }

    fn remove(&mut self, id: DeliveryId) {
        self.take(id);
        if let Some(entry) = self.entries.remove(&id) {
            self.left(entry.group);
        }
    }

    /// A delivery has left a group.
    fn left(&mut self, group: GroupId) {
        self.refresh(group);
        let Some(known) = self.groups.get_mut(&group) else { return };
        known.deliveries = known.deliveries.saturating_sub(1);
        if known.deliveries == 0
            && known.out == 0
            && self.groups.len() > KEEP_GROUPS
            && let Some(known) = self.groups.remove(&group)
        {
            self.names.remove(&known.name);
        }
    }

    fn group(&mut self, name: Group) -> GroupId {
        if let Some(id) = self.names.get(&name) {
            return *id;
        }
        let id = self.next_group;
        self.next_group += 1;
        self.names.insert(name.clone(), id);
        self.groups.insert(id, Known::new(name));
        id
    }

    /// Puts a delivery into its group's order, if it belongs there.
    fn put(&mut self, id: DeliveryId) {
        if self.claimed.contains_key(&id) {
            return;
        }
        let Some(Entry { waiting, group }) = self.entries.get(&id) else { return };
        if waiting.now.state == DeliveryState::Queued
            && let Some(known) = self.groups.get_mut(group)
        {
            known.put(id, waiting);
        }
    }

    /// Takes a delivery out of its group's order.
    fn take(&mut self, id: DeliveryId) {
        let Some(Entry { waiting, group }) = self.entries.get(&id) else { return };
        if let Some(known) = self.groups.get_mut(group) {
            known.take(id, waiting);
        }
    }

    /// Brings a group to where it belongs in its connector's order.
    fn refresh(&mut self, id: GroupId) {
        let Some(known) = self.groups.get_mut(&id) else { return };
        if !self.orders.contains_key(&known.name.connector) {
            self.orders.insert(known.name.connector.clone(), Order::default());
        }
        let Some(order) = self.orders.get_mut(&known.name.connector) else { return };
        let place = known.place(order.per_group);
        if known.stands != place {
            order.replace(id, &known.stands, &place);
            known.stands = place;
        }
    }

    /// See [`concord_transport::Queue::claim`].
    pub fn claim(
        &mut self,
        connector: &str,
        now: Timestamp,
        limits: &ClaimLimits<'_>,
    ) -> Vec<Picked> {
        let (mut picked, mut touched, mut unproven) = (Vec::new(), Vec::new(), 0);
        while picked.len() < limits.claims {
            let Some(order) = self.orders.get_mut(connector) else { break };
            order.per_group = limits.per_group;
            let next = order.first(now, unproven < limits.unproven, limits.suspects);
            let Some((group, of)) = next else { break };
            let Some(known) = self.groups.get_mut(&group) else { break };
            // It comes back when this call is over: one claim per group.
            order.replace(group, &known.stands, &Place::default());
            known.stands = Place::default();
            touched.push(group);
            if (limits.waits)(&known.name.group) {
                known.parked = true;
                continue;
            }
            unproven += usize::from(!known.proven);
            let deliveries = known.head(of, now);
            picked.extend(self.hand_out(group, deliveries));
        }
        for group in touched {
            self.refresh(group);
        }
        picked
    }

    /// Makes a claim of deliveries of one message and group.
    fn hand_out(&mut self, group: GroupId, deliveries: Vec<DeliveryId>) -> Option<Picked> {
        let first = self.entries.get(deliveries.first()?)?;
        let suspect = first.waiting.now.crashes >= SUSPECT_AFTER;
        let message = first.waiting.message;
        let claim = self.next_claim;
        self.next_claim += 1;
        for id in &deliveries {
            self.take(*id);
            self.claimed.insert(*id, claim);
        }
        self.claims.insert(claim, (group, deliveries.len()));
        let known = self.groups.get_mut(&group)?;
        known.out += 1;
        let destination = Reachability { proven: known.proven, failures: known.failures };
        Some(Picked { message, group: known.name.clone(), deliveries, suspect, destination })
    }

    /// Gives claimed deliveries back.
    pub fn unclaim(&mut self, ids: &[DeliveryId]) {
        for id in ids {
            let Some(claim) = self.claimed.remove(id) else { continue };
            self.put(*id);
            let Some((group, left)) = self.claims.get_mut(&claim) else { continue };
            *left -= 1;
            let group = *group;
            if *left == 0 {
                self.claims.remove(&claim);
                if let Some(known) = self.groups.get_mut(&group) {
                    known.out = known.out.saturating_sub(1);
                }
            }
            self.refresh(group);
            // It may have been moved meanwhile.
            if let Some(entry) = self.entries.get(id)
                && entry.group != group
            {
                self.refresh(entry.group);
            }
        }
    }

    /// What is claimed.
    pub fn claimed(&self) -> impl Iterator<Item = DeliveryId> {
        self.claimed.keys().copied()
    }

    /// See [`concord_transport::Queue::next_due`].
    pub fn next_due(&self, connector: &str, limits: &ClaimLimits<'_>) -> Option<Timestamp> {
        self.orders.get(connector)?.earliest(limits.unproven > 0, limits.suspects)
    }

    /// See [`concord_transport::Queue::claim_aged`].
    pub fn claim_aged(
        &mut self,
        ages: &(dyn for<'a> Fn(&'a Group, Urgency) -> Ages + Sync),
        limit: usize,
    ) -> Vec<Picked> {
        let mut aged: Vec<(GroupId, Vec<DeliveryId>)> = Vec::new();
        for (id, known) in self.groups.iter().filter(|(_, known)| known.is_still()) {
            for urgency in Urgency::ALL {
                let mut at = None;
                let mut last = None;
                for (delivery, message) in known.in_order(urgency) {
                    let at = *at.get_or_insert_with(|| ages(&known.name, urgency));
                    let Some(entry) = self.entries.get(&delivery) else { continue };
                    if !entry.waiting.is_aged(at) {
                        continue;
                    }
                    let together = last == Some(message);
                    last = Some(message);
                    if together
                        && let Some((_, ids)) = aged.last_mut()
                        && ids.len() < MAX_RECIPIENTS
                    {
                        ids.push(delivery);
                        continue;
                    }
                    if aged.len() >= limit {
                        break;
                    }
                    aged.push((*id, vec![delivery]));
                }
            }
        }
        let picked: Vec<Picked> =
            aged.iter().filter_map(|(group, ids)| self.hand_out(*group, ids.clone())).collect();
        for (group, _) in aged {
            self.refresh(group);
        }
        picked
    }

    /// See [`concord_transport::Queue::unreached`].
    pub fn unreached(&mut self, group: &Group, now: Timestamp, until: Timestamp, why: PeerAnswer) {
        let Some(id) = self.names.get(group).copied() else { return };
        let Some(known) = self.groups.get_mut(&id) else { return };
        // Attempts that began together fail together: that is one failure.
        if known.rest.as_ref().is_none_or(|rest| rest.until <= now) {
            known.failures = known.failures.saturating_add(1);
        }
        known.proven = false;
        known.rest = Some(Rest { until, why });
        self.refresh(id);
    }

    /// See [`concord_transport::Queue::reached`].
    pub fn reached(&mut self, group: &Group) {
        let Some(id) = self.names.get(group).copied() else { return };
        let Some(known) = self.groups.get_mut(&id) else { return };
        if !known.proven || known.rest.is_some() {
            known.proven = true;
            known.failures = 0;
            known.rest = None;
            self.refresh(id);
        }
    }

    /// See [`concord_transport::Queue::wake`].
    pub fn wake(&mut self, connector: &str, which: &dyn Fn(&str) -> bool) -> u64 {
        let fits = |known: &Known| known.name.connector == connector && which(&known.name.group);
        let ids: Vec<GroupId> =
            self.groups.iter().filter(|(_, known)| fits(known)).map(|(id, _)| *id).collect();
        let mut waiting = 0;
        for id in ids {
            if let Some(known) = self.groups.get_mut(&id) {
                known.wake();
                waiting += known.waiting();
            }
            self.refresh(id);
        }
        waiting
    }

    /// Deliveries of a group that are queued and not claimed.
    pub fn waiting(&self, group: &Group) -> u64 {
        let known = self.names.get(group).and_then(|id| self.groups.get(id));
        known.map_or(0, |known| known.waiting() + known.out as u64)
    }

    /// Until when a group rests, and why; `None` as the time is until it is woken.
    pub fn rests(&self, group: &Group) -> Option<(Option<Timestamp>, Option<&PeerAnswer>)> {
        let known = self.names.get(group).and_then(|id| self.groups.get(id))?;
        match &known.rest {
            _ if known.parked => Some((None, None)),
            Some(rest) => Some((Some(rest.until), Some(&rest.why))),
            None => None,
        }
    }

    /// Connectors that deliveries wait for, whatever their state.
    pub fn connectors(&self) -> Vec<String> {
        let waited = self.groups.values().filter(|known| known.deliveries > 0);
        let mut names: Vec<String> = waited.map(|known| known.name.connector.clone()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The queue in numbers.
    pub fn summary(&self) -> QueueSummary {
        let mut summary = QueueSummary::default();
        for Entry { waiting, .. } in self.entries.values() {
            match waiting.now.state {
                DeliveryState::Queued => summary.queued += 1,
                DeliveryState::Held => summary.held += 1,
                DeliveryState::Quarantined => summary.quarantined += 1,
            }
            summary.oldest =
                Some(summary.oldest.map_or(waiting.received, |t| t.min(waiting.received)));
        }
        summary
    }
}

impl Waiting {
    fn is_aged(&self, at: Ages) -> bool {
        let late = at.delayed.is_some_and(|delayed| self.received <= delayed);
        self.received <= at.expired || late && !self.now.delay_reported
    }
}
