//! Directory objects as they are carried from one store to another: without
//! ids, because each store gives its own.

use concord_base::{ObjectId, Timestamp};
use concord_directory::{Kind, NewObject, Object};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Which object: names are unique within a kind, without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EntryKey {
    /// Its kind.
    pub kind: Kind,
    /// Its name in lower case.
    pub name: String,
}

impl EntryKey {
    /// The key of a kind and a name.
    pub fn new(kind: Kind, name: &str) -> Self {
        Self { kind, name: name.to_lowercase() }
    }
}

impl std::fmt::Display for EntryKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// An object with everything that it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The object. The ids in it are those of the store that it is from.
    pub object: NewObject,
    /// Which objects those ids are.
    pub referred: BTreeMap<u64, EntryKey>,
}

impl Entry {
    /// Which it is.
    pub fn key(&self) -> EntryKey {
        EntryKey::new(self.object.details.kind(), &self.object.name)
    }

    /// What it says of other objects, as what.
    pub fn references(&self) -> BTreeSet<(&'static str, EntryKey)> {
        let object = Object::from_new(ObjectId(0), self.object.clone(), Timestamp(0));
        let named = object.references().into_iter().filter_map(|reference| {
            Some((reference.role, self.referred.get(&reference.to.0)?.clone()))
        });
        named.collect()
    }

    /// The object with the ids of another store; references that it lacks are
    /// left out.
    pub fn renumbered(&self, id_of: impl Fn(&EntryKey) -> Option<ObjectId>) -> NewObject {
        let mut object = Object::from_new(ObjectId(0), self.object.clone(), Timestamp(0));
        object.renumber(|old| id_of(self.referred.get(&old.0)?));
        NewObject { details: object.details, policy: object.policy, ..self.object.clone() }
    }

    /// Every object of a store as an entry, by kind and name.
    pub fn all(objects: &[Object]) -> Vec<Self> {
        let keys: BTreeMap<_, _> =
            objects.iter().map(|o| (o.id, EntryKey::new(o.kind(), &o.name))).collect();
        let mut entries: Vec<Self> = objects
            .iter()
            .map(|object| {
                let referred = object.references().into_iter().filter_map(|reference| {
                    Some((reference.to.0, keys.get(&reference.to).cloned()?))
                });
                let referred = referred.collect();
                let object = NewObject {
                    name: object.name.clone(),
                    display_name: object.display_name.clone(),
                    proxies: object.proxies.clone(),
                    details: object.details.clone(),
                    attributes: object.attributes.clone(),
                    policy: object.policy.clone(),
                };
                Self { object, referred }
            })
            .collect();
        entries.sort_by_key(Self::key);
        entries
    }
}
