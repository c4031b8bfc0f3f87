//! A picture of the directory in memory, for searching.
//!
//! It is made from the directory's changes and follows them; a search sees every
//! change that was finished before it. Nothing in it is a second truth: it is
//! thrown away with the process, and made anew if the directory was put back.

pub(crate) mod draft;
pub(crate) mod entry;
mod follow;
pub(crate) mod index;
pub(crate) mod value;

pub(crate) use entry::{Entry, ROOT, Slot};
pub(crate) use follow::Follower;

use crate::dn::Rdn;
use crate::schema::Attr;
use crate::text::{Rule, normalise};
use concord_base::ObjectId;
use concord_directory::{Access, Kind, Object, Tree, escape_rdn};
use draft::Draft;
use index::{Index, Spread};
use roaring::RoaringBitmap;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

/// Ids of the containers that are no objects stand behind this; the engine's
/// never get there.
const MADE_UP: u64 = 1 << 60;

/// The containers of the configuration, by what is in them.
const PLACES: [(&str, Option<Kind>); 7] = [
    ("Recipients", Some(Kind::Mailbox)),
    ("Configuration", None),
    ("Connections", Some(Kind::Connector)),
    ("Site Addressing", Some(Kind::Generator)),
    ("Domains", Some(Kind::Domain)),
    ("Servers", Some(Kind::Server)),
    ("Roles", Some(Kind::Role)),
];

/// The picture.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    entries: Vec<Option<Entry>>,
    free: Vec<Slot>,
    by_id: HashMap<u64, Slot, BuildHasherDefault<Spread>>,
    children: HashMap<Slot, RoaringBitmap, BuildHasherDefault<Spread>>,
    kinds: HashMap<Option<Kind>, RoaringBitmap>,
    everything: RoaringBitmap,
    pub index: Index,
    pub tree: Tree,
    site: Option<Slot>,
    organisation: Option<Slot>,
    /// Directory changes up to here are in it.
    pub up_to: u64,
    /// Rises when what roles give may have changed.
    pub rights: u64,
    /// Rises when it is made anew: slots mean something else then.
    pub epoch: u64,
}

impl Catalogue {
    /// A catalogue of these objects, containers before what is in them.
    pub fn of(objects: impl IntoIterator<Item = Object>) -> Self {
        let mut catalogue = Self::default();
        objects.into_iter().for_each(|object| catalogue.put(&object));
        catalogue
    }

    pub fn get(&self, slot: Slot) -> Option<&Entry> {
        self.entries.get(slot as usize).and_then(Option::as_ref)
    }

    pub fn slot_of(&self, id: u64) -> Option<Slot> {
        self.by_id.get(&id).copied()
    }

    /// Every entry.
    pub fn everything(&self) -> &RoaringBitmap {
        &self.everything
    }

    /// Entries directly below another.
    pub fn children(&self, slot: Slot) -> Option<&RoaringBitmap> {
        self.children.get(&slot)
    }

    /// The kinds that there are.
    pub fn kinds(&self) -> impl Iterator<Item = (Option<Kind>, &RoaringBitmap)> {
        self.kinds.iter().map(|(kind, slots)| (*kind, slots))
    }

    /// The organisation's entry, under which everything is.
    pub fn organisation(&self) -> Option<Slot> {
        self.organisation
    }

    /// Whether there are the organisation and the site, in which all else stands.
    fn has_top(&self) -> bool {
        self.organisation.is_some() && self.site.is_some()
    }

    /// A container of the site by its name: `Recipients`, `Roles`, ...
    pub fn place(&self, name: &str) -> Option<Slot> {
        let number = PLACES.iter().position(|(place, _)| *place == name)?;
        self.slot_of(MADE_UP + number as u64)
    }

    /// Whether an entry is the other one or below it.
    pub fn is_within(&self, slot: Slot, base: Slot) -> bool {
        if base == ROOT {
            return true;
        }
        let mut next = slot;
        for _ in 0..=concord_directory::MAX_CONTAINER_DEPTH + 4 {
            if next == base {
                return true;
            }
            match self.get(next) {
                Some(entry) => next = entry.parent,
                None => return false,
            }
        }
        false
    }

    /// An entry's DN.
    pub fn dn(&self, slot: Slot) -> String {
        let mut dn = String::with_capacity(96);
        let mut next = slot;
        for _ in 0..=concord_directory::MAX_CONTAINER_DEPTH + 4 {
            let Some(entry) = self.get(next) else { break };
            let (attribute, name) = entry.name();
            if !dn.is_empty() {
                dn.push(',');
            }
            dn.push_str(attribute);
            dn.push('=');
            if name.bytes().all(|c| c.is_ascii_alphanumeric()) {
                dn.push_str(name);
            } else {
                dn.push_str(&escape_rdn(name));
            }
            next = entry.parent;
        }
        dn
    }

    /// The DN of an object.
    pub fn dn_of(&self, id: u64) -> Option<String> {
        self.slot_of(id).map(|slot| self.dn(slot))
    }

    /// The entry of a DN, or the nearest one above it that there is.
    pub fn find(&self, rdns: &[Rdn]) -> Result<Slot, Slot> {
        let mut at = ROOT;
        for rdn in rdns.iter().rev() {
            at = self.child(at, rdn).ok_or(at)?;
        }
        Ok(at)
    }

    /// The entry of a name below another.
    pub fn child(&self, parent: Slot, rdn: &Rdn) -> Option<Slot> {
        if rdn.many {
            return None;
        }
        let attr = Attr::from_name(&rdn.attribute)?;
        let stored: &[Attr] = match attr {
            Attr::Cn => &[Attr::Cn, Attr::Uid],
            Attr::O => &[Attr::O],
            Attr::Ou => &[Attr::Ou],
            // the alias is as good a name as cn, which it is
            Attr::Uid => &[Attr::Uid],
            _ => return None,
        };
        let key = rdn.key();
        for attr in stored {
            let candidates = self.index.equal(*attr, &key).unwrap_or_default();
            for slot in candidates {
                let Some(entry) = self.get(slot) else { continue };
                if entry.parent == parent && normalise(Rule::CaseIgnore, entry.name().1) == key {
                    return Some(slot);
                }
            }
        }
        None
    }

    /// Takes in an object as it is now. Its container must be in.
    fn put(&mut self, object: &Object) {
        let id = object.id.0;
        if matches!(object.kind(), Kind::Role | Kind::List) {
            self.rights += 1;
        }
        self.take_out(id);
        let parent = self.parent_of(object);
        let draft = Draft::of(object);
        let mut entry = Entry::new(id, Some(object.kind()), parent, &draft);
        entry.container = object.policy.container;
        entry.created = object.created.0;
        entry.changed = object.changed.0;
        entry.usn = object.usn;
        if object.kind() == Kind::Container {
            let place = (object.name.clone(), object.policy.container);
            self.tree.set_container(object.id, Some(place));
        }
        let slot = self.put_entry(entry);
        match object.kind() {
            Kind::Organisation => self.organisation = Some(slot),
            Kind::Site => {
                self.site = Some(slot);
                self.put_places(object.created.0, slot);
            }
            _ => {}
        }
    }

    fn parent_of(&self, object: &Object) -> Slot {
        let place = |name| self.place(name).unwrap_or(ROOT);
        match object.kind() {
            Kind::Organisation => ROOT,
            Kind::Site => self.organisation.unwrap_or(ROOT),
            Kind::Connector => place("Connections"),
            Kind::Generator => place("Site Addressing"),
            Kind::Domain => place("Domains"),
            Kind::Server => place("Servers"),
            Kind::Role => place("Roles"),
            _ => {
                let container = object.policy.container.and_then(|id| self.slot_of(id.0));
                container.unwrap_or_else(|| place("Recipients"))
            }
        }
    }

    fn put_places(&mut self, created: i64, site: Slot) {
        let mut configuration = site;
        for (number, (name, holds)) in PLACES.iter().enumerate() {
            let id = MADE_UP + number as u64;
            if self.slot_of(id).is_some() {
                continue;
            }
            let below = matches!(holds, Some(kind) if !kind.is_recipient());
            let parent = if below { configuration } else { site };
            let draft = Draft { values: vec![(Attr::Cn, (*name).to_owned())], links: Vec::new() };
            // Recipients is a container like those in it, which everybody sees
            let kind = matches!(holds, Some(Kind::Mailbox)).then_some(Kind::Container);
            let mut entry = Entry::new(id, kind, parent, &draft);
            (entry.created, entry.changed) = (created, created);
            let slot = self.put_entry(entry);
            if holds.is_none() {
                configuration = slot;
            }
        }
    }

    fn put_entry(&mut self, entry: Entry) -> Slot {
        // an object that changes keeps its slot: what is below it points there
        let slot = match self.by_id.get(&entry.id).copied().or_else(|| self.free.pop()) {
            Some(slot) => slot,
            None => {
                self.entries.push(None);
                Slot::try_from(self.entries.len() - 1).unwrap_or(ROOT)
            }
        };
        self.index.insert(slot, &entry);
        self.by_id.insert(entry.id, slot);
        self.children.entry(entry.parent).or_default().insert(slot);
        self.kinds.entry(entry.kind).or_default().insert(slot);
        self.everything.insert(slot);
        if let Some(place) = self.entries.get_mut(slot as usize) {
            *place = Some(entry);
        }
        slot
    }

    /// Takes an object out of everything but `by_id`.
    fn take_out(&mut self, id: u64) -> Option<Slot> {
        let slot = self.slot_of(id)?;
        let entry = self.entries.get_mut(slot as usize)?.take()?;
        self.index.remove(slot, &entry);
        if let Some(children) = self.children.get_mut(&entry.parent) {
            children.remove(slot);
            if children.is_empty() {
                self.children.remove(&entry.parent);
            }
        }
        if let Some(kind) = self.kinds.get_mut(&entry.kind) {
            kind.remove(slot);
        }
        self.everything.remove(slot);
        Some(slot)
    }

    /// Forgets an object that went.
    fn remove(&mut self, object: &Object) {
        if matches!(object.kind(), Kind::Role | Kind::List) {
            self.rights += 1;
        }
        if object.kind() == Kind::Container {
            self.tree.set_container(object.id, None);
        }
        if let Some(slot) = self.take_out(object.id.0) {
            self.by_id.remove(&object.id.0);
            self.free.push(slot);
        }
    }

    /// Whether somebody sees an entry.
    pub fn sees(&self, access: &Access, entry: &Entry) -> bool {
        // most entries are plain recipients, which everybody sees
        if entry.is_recipient() && entry.has & Attr::Hidden.bit() == 0 {
            return true;
        }
        access.sees(&entry.subject(access), &self.tree)
    }

    /// Whether somebody sees an attribute of an entry.
    pub fn sees_attribute(&self, access: &Access, entry: &Entry, attr: Attr) -> bool {
        let audience = attr.definition().audience;
        if audience == concord_directory::Audience::Everybody {
            return true;
        }
        access.sees_attribute(audience, &entry.subject(access), &self.tree)
    }

    /// When the organisation was made; part of every entry's UUID.
    fn seed(&self) -> i64 {
        self.organisation.and_then(|slot| self.get(slot)).map_or(0, |entry| entry.created)
    }

    /// An entry's UUID (RFC 4530): of version 8 (RFC 9562 section 5.8), made of
    /// the moment at which the organisation was made and the object's id, so that
    /// it is the same for ever, whatever the object is called.
    pub fn uuid(&self, id: u64) -> String {
        let number = u128::from(self.seed().unsigned_abs() & 0xFFFF_FFFF_FFFF) << 80
            | 0x8000 << 64
            | u128::from(id & !(3 << 62) | 2 << 62);
        let hex = format!("{number:032x}");
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
        parts.map(|range| hex.get(range).unwrap_or_default()).join("-")
    }

    /// The object of a UUID.
    pub fn id_of_uuid(&self, uuid: &str) -> Option<u64> {
        let digits: String = uuid.chars().filter(|c| *c != '-').collect();
        let number = u128::from_str_radix(&digits, 16).ok()?;
        let id = u64::try_from(number & u128::from(u64::MAX)).ok()? & !(3 << 62);
        (self.uuid(id).eq_ignore_ascii_case(uuid) && self.by_id.contains_key(&id)).then_some(id)
    }

    /// The container that entries below this one are in; `None` if there can be
    /// no recipients below it.
    pub fn as_container(&self, slot: Slot) -> Option<Option<ObjectId>> {
        if self.place("Recipients") == Some(slot) {
            return Some(None);
        }
        let entry = self.get(slot)?;
        (entry.kind == Some(Kind::Container)).then_some(Some(ObjectId(entry.id)))
    }

    /// Whether an entry is one of those that are no objects.
    pub fn is_made_up(&self, slot: Slot) -> bool {
        self.get(slot).is_some_and(|entry| entry.id >= MADE_UP)
    }
}

#[cfg(test)]
mod tests;
