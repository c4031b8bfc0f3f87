//! Which entry of the foreign side stands for which recipient.
//!
//! By its mark, else by the key that an earlier export left, else by what both
//! are called. An entry stands for one recipient at most.

use crate::entry::{ForeignKey, PresentEntry};
use concord_base::ObjectId;
use std::collections::{BTreeMap, HashMap, HashSet};

pub(crate) struct Matching<'a> {
    /// In the order of the keys; a place is an index into it.
    entries: Vec<&'a PresentEntry>,
    by_mark: HashMap<ObjectId, usize>,
    by_identity: HashMap<String, usize>,
    /// Places that are known to be exports of ours.
    known: HashSet<usize>,
    /// The recipient that each place stands for.
    taken: HashMap<usize, ObjectId>,
    of: HashMap<ObjectId, usize>,
    /// Identities of what is exported.
    claimed: HashMap<String, ObjectId>,
}

impl<'a> Matching<'a> {
    pub(crate) fn new(
        entries: Vec<&'a PresentEntry>,
        links: &BTreeMap<ObjectId, ForeignKey>,
        identity: impl Fn(&PresentEntry) -> String,
    ) -> Self {
        let mut by_key: HashMap<&ForeignKey, usize> = HashMap::new();
        let mut by_identity = HashMap::new();
        let mut by_mark = HashMap::new();
        for (place, entry) in entries.iter().enumerate() {
            by_key.insert(&entry.key, place);
            by_identity.entry(identity(entry)).or_insert(place);
            if let Some(mark) = entry.mark {
                by_mark.entry(mark).or_insert(place);
            }
        }
        for (id, key) in links {
            if let Some(place) = by_key.get(key) {
                by_mark.entry(*id).or_insert(*place);
            }
        }
        by_identity.remove("");
        let marked = entries.iter().enumerate().filter(|(_, entry)| entry.mark.is_some());
        let known: HashSet<usize> =
            marked.map(|(place, _)| place).chain(by_mark.values().copied()).collect();
        let (taken, of, claimed) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { entries, by_mark, by_identity, known, taken, of, claimed }
    }

    fn take(&mut self, id: ObjectId, place: usize) {
        if !self.taken.contains_key(&place) && !self.of.contains_key(&id) {
            self.taken.insert(place, id);
            self.of.insert(id, place);
        }
    }

    /// Matches a recipient by mark or earlier export.
    pub(crate) fn by_mark(&mut self, id: ObjectId) {
        if let Some(place) = self.by_mark.get(&id) {
            self.take(id, *place);
        }
    }

    /// Matches a recipient by identity, if it has no match yet.
    pub(crate) fn by_identity(&mut self, id: ObjectId, identity: &str) {
        if let Some(place) = self.by_identity.get(identity) {
            self.take(id, *place);
        }
    }

    /// The entry that stands for a recipient.
    pub(crate) fn of(&self, id: ObjectId) -> Option<(usize, &'a PresentEntry)> {
        let place = *self.of.get(&id)?;
        Some((place, *self.entries.get(place)?))
    }

    /// Claims an identity; the recipient that has it already.
    pub(crate) fn claim(&mut self, id: ObjectId, identity: &str) -> Option<ObjectId> {
        if identity.is_empty() {
            return None;
        }
        let holder = *self.claimed.entry(identity.to_owned()).or_insert(id);
        (holder != id).then_some(holder)
    }

    /// Claims the identity of an entry that stays as it is; the recipient that has
    /// to give it up.
    pub(crate) fn insist(&mut self, id: ObjectId, identity: &str) -> Option<ObjectId> {
        if identity.is_empty() {
            return None;
        }
        self.claimed.insert(identity.to_owned(), id).filter(|holder| *holder != id)
    }

    /// Places that stand for nobody who was given.
    pub(crate) fn unmatched(&self) -> impl Iterator<Item = usize> {
        (0..self.entries.len()).filter(|place| !self.taken.contains_key(place))
    }

    /// The place that bears a recipient's mark, or is known from an earlier export.
    pub(crate) fn marked(&self, id: ObjectId) -> Option<usize> {
        self.by_mark.get(&id).copied()
    }

    /// Whether a place is known to be an export of ours.
    pub(crate) fn is_known(&self, place: usize) -> bool {
        self.known.contains(&place)
    }

    /// How many are.
    pub(crate) fn count_known(&self) -> usize {
        self.known.len()
    }

    pub(crate) fn entry(&self, place: usize) -> Option<&'a PresentEntry> {
        self.entries.get(place).copied()
    }

    /// The recipient that a place stands for, or stood for.
    pub(crate) fn id(&self, place: usize) -> Option<ObjectId> {
        let taken = self.taken.get(&place).copied();
        taken.or_else(|| self.entries.get(place).and_then(|entry| entry.mark))
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}
