//! Indexes: which entries may have a value. Keys are hashes, so that a value is
//! not kept a second time; whoever asks holds what comes out against the entries.

use super::entry::Slot;
use crate::schema::{ATTRIBUTES, Attr};
use crate::text::normalise_into;
use roaring::RoaringBitmap;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

use super::entry::Entry;

/// Whether pieces of values are indexed: where people type parts of them.
fn has_pieces(attr: Attr) -> bool {
    matches!(
        attr,
        Attr::DisplayName
            | Attr::Uid
            | Attr::Cn
            | Attr::Sn
            | Attr::GivenName
            | Attr::Mail
            | Attr::ProxyAddresses
            | Attr::TelephoneNumber
    )
}

/// Stands before the first octet of a value, and behind the last, so that
/// beginnings and ends are pieces of their own.
const START: u8 = 2;
const END: u8 = 3;

/// For keys that are spread already, or few.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.write_u64(u64::from(*octet));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        // Fibonacci hashing (Knuth, volume 3, section 6.4)
        let mixed = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

type Map<K, V> = HashMap<K, V, BuildHasherDefault<Spread>>;

/// Entries that share a key; most keys have one.
#[derive(Debug)]
enum Posting {
    One(Slot),
    Many(Box<RoaringBitmap>),
}

/// Keys and their entries.
#[derive(Debug, Default)]
struct Postings(Map<u64, Posting>);

impl Postings {
    fn insert(&mut self, key: u64, slot: Slot) {
        match self.0.get_mut(&key) {
            None => drop(self.0.insert(key, Posting::One(slot))),
            Some(Posting::Many(slots)) => drop(slots.insert(slot)),
            Some(Posting::One(first)) if *first == slot => {}
            Some(one) => {
                let Posting::One(first) = *one else { return };
                *one = Posting::Many(Box::new([first, slot].into_iter().collect()));
            }
        }
    }

    fn remove(&mut self, key: u64, slot: Slot) {
        let gone = match self.0.get_mut(&key) {
            Some(Posting::One(one)) => *one == slot,
            Some(Posting::Many(slots)) => {
                slots.remove(slot);
                slots.is_empty()
            }
            None => false,
        };
        if gone {
            self.0.remove(&key);
        }
    }

    fn get(&self, key: u64) -> RoaringBitmap {
        match self.0.get(&key) {
            None => RoaringBitmap::new(),
            Some(Posting::One(slot)) => [*slot].into_iter().collect(),
            Some(Posting::Many(slots)) => RoaringBitmap::clone(slots),
        }
    }
}

/// A part of a value that substrings ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    Initial(&'a str),
    Any(&'a str),
    Final(&'a str),
}

/// All indexes over values.
#[derive(Debug)]
pub(crate) struct Index {
    seed: RandomState,
    values: Postings,
    pieces: Map<u32, RoaringBitmap>,
    present: Vec<RoaringBitmap>,
    scratch: String,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            seed: RandomState::new(),
            values: Postings::default(),
            pieces: Map::default(),
            present: vec![RoaringBitmap::new(); ATTRIBUTES.len()],
            scratch: String::new(),
        }
    }
}

impl Index {
    fn key(&self, attr: Attr, prepared: &str) -> u64 {
        self.seed.hash_one((attr as u8, prepared))
    }

    fn link_key(&self, attr: Attr, id: u64) -> u64 {
        self.seed.hash_one((attr as u8, id))
    }

    /// Takes an entry in.
    pub fn insert(&mut self, slot: Slot, entry: &Entry) {
        let mut scratch = std::mem::take(&mut self.scratch);
        for (number, value) in entry.texts() {
            let Some(attr) = Attr::from_index(number) else { continue };
            if let Some(present) = self.present.get_mut(usize::from(number)) {
                present.insert(slot);
            }
            if !attr.definition().indexed {
                continue;
            }
            normalise_into(attr.rule(), value, &mut scratch);
            self.values.insert(self.key(attr, &scratch), slot);
            if has_pieces(attr) {
                each_piece(&scratch, |piece| {
                    self.pieces.entry(piece).or_default().insert(slot);
                });
            }
        }
        self.scratch = scratch;
        for (attr, id) in entry.links() {
            if let Some(present) = self.present.get_mut(*attr as usize) {
                present.insert(slot);
            }
            self.values.insert(self.link_key(*attr, *id), slot);
        }
    }

    /// Forgets an entry.
    pub fn remove(&mut self, slot: Slot, entry: &Entry) {
        let mut scratch = std::mem::take(&mut self.scratch);
        for (number, value) in entry.texts() {
            let Some(attr) = Attr::from_index(number) else { continue };
            if let Some(present) = self.present.get_mut(usize::from(number)) {
                present.remove(slot);
            }
            if !attr.definition().indexed {
                continue;
            }
            normalise_into(attr.rule(), value, &mut scratch);
            self.values.remove(self.key(attr, &scratch), slot);
            if has_pieces(attr) {
                each_piece(&scratch, |piece| self.remove_piece(piece, slot));
            }
        }
        self.scratch = scratch;
        for (attr, id) in entry.links() {
            if let Some(present) = self.present.get_mut(*attr as usize) {
                present.remove(slot);
            }
            self.values.remove(self.link_key(*attr, *id), slot);
        }
    }

    fn remove_piece(&mut self, piece: u32, slot: Slot) {
        if let Some(slots) = self.pieces.get_mut(&piece) {
            slots.remove(slot);
            if slots.is_empty() {
                self.pieces.remove(&piece);
            }
        }
    }

    /// Entries with any value of a stored attribute.
    pub fn present(&self, attr: Attr) -> Option<&RoaringBitmap> {
        self.present.get(attr as usize)
    }

    /// Entries that may have this prepared text; none if it is not indexed.
    pub fn equal(&self, attr: Attr, prepared: &str) -> Option<RoaringBitmap> {
        attr.definition().indexed.then(|| self.values.get(self.key(attr, prepared)))
    }

    /// Entries that name an object.
    pub fn linked(&self, attr: Attr, id: u64) -> RoaringBitmap {
        self.values.get(self.link_key(attr, id))
    }

    /// Entries that may have a value of any of the indexed attributes with these
    /// parts; none if the parts are too short to tell.
    pub fn pieces(&self, attr: Attr, parts: &[Part<'_>]) -> Option<RoaringBitmap> {
        if !has_pieces(attr) {
            return None;
        }
        let mut keys = Vec::new();
        for part in parts {
            match part {
                Part::Initial(text) => each_window(&[START], text, &[], |key| keys.push(key)),
                Part::Any(text) => each_window(&[], text, &[], |key| keys.push(key)),
                Part::Final(text) => each_window(&[], text, &[END], |key| keys.push(key)),
            }
        }
        if keys.is_empty() {
            return None;
        }
        keys.sort_unstable();
        keys.dedup();
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            match self.pieces.get(&key) {
                Some(slots) => found.push(slots),
                None => return Some(RoaringBitmap::new()),
            }
        }
        found.sort_by_key(|slots| slots.len());
        let mut found = found.into_iter();
        let mut slots = found.next().cloned().unwrap_or_default();
        for other in found {
            // looking at a few entries is cheaper than at one more large set
            if slots.len() <= FEW {
                break;
            }
            slots &= other;
        }
        Some(slots)
    }
}

/// Entries that are looked at one by one rather than intersected further.
const FEW: u64 = 24;

/// Every three octets of a value with its ends.
fn each_piece(prepared: &str, see: impl FnMut(u32)) {
    each_window(&[START], prepared, &[END], see);
}

fn each_window(before: &[u8], text: &str, behind: &[u8], mut see: impl FnMut(u32)) {
    let (mut last, mut seen) = (0_u32, 0);
    for octet in before.iter().chain(text.as_bytes()).chain(behind) {
        last = (last << 8 | u32::from(*octet)) & 0x00FF_FFFF;
        seen += 1;
        if seen >= 3 {
            see(last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::draft::Draft;
    use crate::catalogue::entry::ROOT;
    use concord_directory::Kind;

    fn entry(values: &[(Attr, &str)]) -> Entry {
        let values = values.iter().map(|(attr, value)| (*attr, (*value).to_owned())).collect();
        Entry::new(1, Some(Kind::Mailbox), ROOT, &Draft { values, links: vec![(Attr::Member, 9)] })
    }

    #[test]
    fn what_was_taken_in_is_found_and_forgotten_again() {
        let mut index = Index::default();
        let jane = entry(&[(Attr::Mail, "Jane.Doe@example.test")]);
        index.insert(5, &jane);
        index.insert(6, &entry(&[(Attr::Mail, "jack@example.test")]));
        let slots = |found: Option<RoaringBitmap>| found.map(|s| s.iter().collect::<Vec<_>>());
        assert_eq!(slots(index.equal(Attr::Mail, "jane.doe@example.test")), Some(vec![5]));
        let found = |index: &Index, part| slots(index.pieces(Attr::Mail, &[part]));
        assert_eq!(found(&index, Part::Initial("ja")), Some(vec![5, 6]));
        assert_eq!(found(&index, Part::Any("e.d")), Some(vec![5]));
        assert_eq!(found(&index, Part::Final("st")), Some(vec![5, 6]));
        assert_eq!(found(&index, Part::Any("ab")), None);
        assert_eq!(found(&index, Part::Any("xyz")), Some(vec![]));
        assert_eq!(index.linked(Attr::Member, 9).len(), 2);
        index.remove(5, &jane);
        assert_eq!(found(&index, Part::Initial("ja")), Some(vec![6]));
        assert_eq!(index.linked(Attr::Member, 9).len(), 1);
        index.remove(6, &entry(&[(Attr::Mail, "jack@example.test")]));
        assert!(index.pieces.is_empty() && index.values.0.is_empty());
    }
}
