//! Directory objects as they are carried from one store to another: without
//! ids, because each store gives its own.

use concord_directory::{Details, Kind, NewObject, Object};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// The object; of a list without its members.
    pub object: NewObject,
    /// A list's members.
    pub members: Vec<EntryKey>,
}

impl Entry {
    /// Which it is.
    pub fn key(&self) -> EntryKey {
        EntryKey::new(self.object.details.kind(), &self.object.name)
    }

    /// Every object of a store as an entry, by kind and name.
    pub fn all(objects: &[Object]) -> Vec<Self> {
        let keys: BTreeMap<_, _> =
            objects.iter().map(|o| (o.id, EntryKey::new(o.kind(), &o.name))).collect();
        let mut entries: Vec<Self> = objects
            .iter()
            .map(|object| {
                let mut details = object.details.clone();
                let mut members = Vec::new();
                if let Details::List(list) = &mut details {
                    let ids = std::mem::take(&mut list.members);
                    members.extend(ids.iter().filter_map(|id| keys.get(id).cloned()));
                    members.sort();
                }
                let object = NewObject {
                    name: object.name.clone(),
                    display_name: object.display_name.clone(),
                    proxies: object.proxies.clone(),
                    details,
                };
                Self { object, members }
            })
            .collect();
        entries.sort_by_key(Self::key);
        entries
    }
}
