//! The directory at one moment, for plans.

use super::error::SyncError;
use super::object::{attributes, recipient_kind};
use crate::api::Shared;
use concord_address::TypedAddress;
use concord_base::ObjectId;
use concord_directory::{Kind, Object};
use concord_dirsync::{ForeignKey, Holder, OwnedEntry, Recipient, RecipientKind, Surroundings};
use std::collections::HashMap;
use std::sync::Arc;

/// Every recipient, by what plans ask for. It holds the objects themselves once;
/// a directory of 100,000 recipients takes some 150 MiB while a plan is made.
pub(super) struct Snapshot {
    objects: HashMap<ObjectId, Arc<Object>>,
    addresses: HashMap<String, ObjectId>,
    names: HashMap<String, ObjectId>,
}

impl Snapshot {
    pub async fn read(shared: &Shared) -> Result<Self, SyncError> {
        let mut snapshot =
            Self { objects: HashMap::new(), addresses: HashMap::new(), names: HashMap::new() };
        for kind in Kind::RECIPIENTS {
            for object in shared.api.directory.list(kind).await? {
                snapshot.take_in(object);
            }
        }
        Ok(snapshot)
    }

    fn take_in(&mut self, object: Arc<Object>) {
        let addresses = object.proxies.iter().map(|proxy| &proxy.address).chain(object.target());
        for address in addresses {
            self.addresses.insert(address.key(), object.id);
        }
        self.names.insert(object.name.to_lowercase(), object.id);
        self.objects.insert(object.id, object);
    }

    pub fn object(&self, id: ObjectId) -> Option<&Arc<Object>> {
        self.objects.get(&id)
    }

    /// What a connector brought here.
    pub fn owned(&self, connector: &str) -> Vec<OwnedEntry> {
        let owned = self.objects.values().filter_map(|object| {
            let origin = object.policy.origin.as_ref()?;
            (origin.connector == connector).then(|| OwnedEntry {
                id: object.id,
                connector: origin.connector.clone(),
                key: ForeignKey(origin.key.clone()),
                attributes: attributes(object),
            })
        });
        owned.collect()
    }
}

impl Surroundings for Snapshot {
    fn address_holder(&self, address: &TypedAddress) -> Option<Holder> {
        let object = self.objects.get(self.addresses.get(&address.key())?)?;
        Some(Holder {
            id: object.id,
            name: object.display_name.clone(),
            kind: recipient_kind(object.kind()).unwrap_or(RecipientKind::Contact),
            origin: object.policy.origin.as_ref().map(|origin| origin.connector.clone()),
            attributes: attributes(object),
        })
    }

    fn name_holder(&self, name: &str) -> Option<ObjectId> {
        self.names.get(&name.to_lowercase()).copied()
    }
}

/// A recipient as exports see it; none for what is no recipient.
pub(super) fn recipient(object: &Object) -> Option<Recipient> {
    Some(Recipient {
        id: object.id,
        kind: recipient_kind(object.kind())?,
        container: object.policy.container,
        hidden: object.policy.hidden,
        trust: object.policy.trust,
        origin: object.policy.origin.as_ref().map(|origin| origin.connector.clone()),
        attributes: attributes(object),
    })
}
