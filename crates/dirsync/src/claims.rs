//! Who gets which address and name, where several want the same.
//!
//! An address is free if no object has it, or if the object that has it goes or
//! wants others itself. If such an object has to stay after all, whoever took its
//! address in the meantime gives it back.

use crate::entry::{ForeignKey, RecipientKind};
use crate::plan::Subject;
use crate::surroundings::{Holder, Surroundings};
use concord_address::TypedAddress;
use concord_base::ObjectId;
use std::collections::{HashMap, HashSet};

/// Who has an address that somebody wants.
pub(crate) struct Taken {
    pub(crate) address: String,
    pub(crate) holder: Subject,
    /// A contact that nobody's synchronisation made, and that has the target.
    pub(crate) adoptable: Option<Box<Holder>>,
}

pub(crate) struct Claims<'a> {
    around: &'a dyn Surroundings,
    /// Objects whose addresses and names are free for others: they go, or they
    /// claim anew themselves.
    movable: HashSet<ObjectId>,
    addresses: HashMap<String, ForeignKey>,
    /// In lower case.
    names: HashMap<String, ForeignKey>,
}

impl<'a> Claims<'a> {
    pub(crate) fn new(
        around: &'a dyn Surroundings,
        leaving: HashSet<ObjectId>,
        claiming: impl Iterator<Item = ObjectId>,
    ) -> Self {
        let mut movable = leaving;
        movable.extend(claiming);
        Self { around, movable, addresses: HashMap::new(), names: HashMap::new() }
    }

    /// Claims all addresses of an entry, the target first, or none and says why.
    pub(crate) fn addresses(
        &mut self,
        key: &ForeignKey,
        id: Option<ObjectId>,
        wanted: &[TypedAddress],
    ) -> Result<(), Taken> {
        for (n, address) in wanted.iter().enumerate() {
            if let Some(other) = self.addresses.get(&address.key()) {
                let (name, other) = (other.0.clone(), Some(other.clone()));
                let holder = Subject { name, key: other, id: None };
                return Err(Taken { address: address.to_string(), holder, adoptable: None });
            }
            let Some(found) = self.around.address_holder(address) else { continue };
            if Some(found.id) == id || self.movable.contains(&found.id) {
                continue;
            }
            let by_hand = found.kind == RecipientKind::Contact && found.origin.is_none();
            let holder = Subject { name: found.name.clone(), key: None, id: Some(found.id) };
            let adoptable = (by_hand && n == 0).then(|| Box::new(found));
            return Err(Taken { address: address.to_string(), holder, adoptable });
        }
        for address in wanted {
            self.addresses.insert(address.key(), key.clone());
        }
        Ok(())
    }

    /// Gives the addresses of an entry back.
    pub(crate) fn release(&mut self, key: &ForeignKey, wanted: &[TypedAddress]) {
        for address in wanted {
            if self.addresses.get(&address.key()) == Some(key) {
                self.addresses.remove(&address.key());
            }
        }
    }

    /// An object becomes the entry's, and claims anew.
    pub(crate) fn adopt(&mut self, id: ObjectId) {
        self.movable.insert(id);
    }

    /// An object stays as it is after all. The entries that have to give an
    /// address back to it, each with the address.
    pub(crate) fn stays(
        &mut self,
        id: ObjectId,
        key: &ForeignKey,
        name: &str,
        has: &[TypedAddress],
    ) -> Vec<(ForeignKey, String)> {
        self.movable.remove(&id);
        self.names.insert(name.to_lowercase(), key.clone());
        has.iter()
            .filter_map(|address| {
                let other = self.addresses.insert(address.key(), key.clone())?;
                (other != *key).then(|| (other, address.to_string()))
            })
            .collect()
    }

    /// Claims the first name that is free for an entry; none if none is.
    pub(crate) fn name(
        &mut self,
        key: &ForeignKey,
        id: Option<ObjectId>,
        mut names: impl Iterator<Item = String>,
    ) -> Option<String> {
        let free = |name: &String| {
            if self.names.contains_key(&name.to_lowercase()) {
                return false;
            }
            let holder = self.around.name_holder(name);
            holder.is_none_or(|holder| Some(holder) == id || self.movable.contains(&holder))
        };
        let name = names.find(free)?;
        self.names.insert(name.to_lowercase(), key.clone());
        Some(name)
    }
}
