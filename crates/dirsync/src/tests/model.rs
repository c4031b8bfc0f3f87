//! A directory and a foreign directory, as far as plans know them.

use crate::*;
use concord_address::TypedAddress;
use concord_base::ObjectId;
use concord_mapping::Attributes;
use std::collections::{BTreeMap, HashMap};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Object {
    pub(super) kind: RecipientKind,
    pub(super) origin: Option<(String, ForeignKey)>,
    pub(super) attributes: Attributes,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Model {
    pub(super) objects: BTreeMap<ObjectId, Object>,
    addresses: HashMap<String, ObjectId>,
    names: HashMap<String, ObjectId>,
    last: u64,
}

fn addresses(attributes: &Attributes) -> Vec<String> {
    ["targetaddress", "proxyaddresses"]
        .iter()
        .flat_map(|name| attributes.get(*name).into_iter().flatten())
        .map(|address| address.parse::<TypedAddress>().unwrap().key())
        .collect()
}

impl Model {
    pub(super) fn add(
        &mut self,
        kind: RecipientKind,
        origin: Option<(&str, &str)>,
        attributes: Attributes,
    ) -> ObjectId {
        self.last += 1;
        let id = ObjectId(self.last);
        let origin = origin.map(|(connector, key)| (connector.into(), ForeignKey(key.into())));
        self.objects.insert(id, Object { kind, origin, attributes });
        self.index();
        id
    }

    /// Holds the directory to its rule: no address and no name twice.
    fn index(&mut self) {
        self.addresses.clear();
        self.names.clear();
        for (id, object) in &self.objects {
            for address in addresses(&object.attributes) {
                let other = self.addresses.insert(address.clone(), *id);
                assert!(other.is_none_or(|other| other == *id), "{address} twice");
            }
            let name = object.attributes["mailnickname"][0].to_lowercase();
            let other = self.names.insert(name.clone(), *id);
            assert_eq!(other, None, "the name {name} twice");
        }
    }

    pub(super) fn owned(&self) -> Vec<OwnedEntry> {
        let owned = |(id, object): (&ObjectId, &Object)| {
            let (connector, key) = object.origin.clone()?;
            Some(OwnedEntry { id: *id, connector, key, attributes: object.attributes.clone() })
        };
        self.objects.iter().filter_map(owned).collect()
    }

    /// Carries an import out.
    pub(super) fn apply(&mut self, plan: &Plan) {
        for deletion in &plan.deletions {
            self.objects.remove(&deletion.subject.id.unwrap()).unwrap();
        }
        for entry in plan.modifications.iter().chain(&plan.adoptions) {
            let object = self.objects.get_mut(&entry.subject.id.unwrap()).unwrap();
            entry.apply(&mut object.attributes);
            object.origin = Some((plan.connector.clone(), entry.subject.key.clone().unwrap()));
        }
        for entry in &plan.additions {
            self.last += 1;
            let mut attributes = Attributes::new();
            entry.apply(&mut attributes);
            let origin = Some((plan.connector.clone(), entry.subject.key.clone().unwrap()));
            let object = Object { kind: RecipientKind::Contact, origin, attributes };
            self.objects.insert(ObjectId(self.last), object);
        }
        self.index();
    }

    pub(super) fn named(&self, name: &str) -> &Attributes {
        &self.objects[&self.names[name]].attributes
    }
}

impl Surroundings for Model {
    fn address_holder(&self, address: &TypedAddress) -> Option<Holder> {
        let id = *self.addresses.get(&address.key())?;
        let object = &self.objects[&id];
        Some(Holder {
            id,
            name: object.attributes["displayname"][0].clone(),
            kind: object.kind,
            origin: object.origin.as_ref().map(|(connector, _)| connector.clone()),
            attributes: object.attributes.clone(),
        })
    }

    fn name_holder(&self, name: &str) -> Option<ObjectId> {
        self.names.get(&name.to_lowercase()).copied()
    }
}

/// The foreign directory; keys are given by it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Foreign {
    pub(super) entries: BTreeMap<ForeignKey, PresentEntry>,
    pub(super) links: BTreeMap<ObjectId, ForeignKey>,
    /// Attributes that its form has not: writing them fails.
    pub(super) lacks: Option<&'static str>,
    /// Whether it can keep our mark.
    pub(super) marks: bool,
    pub(super) last: u64,
}

impl Foreign {
    pub(super) fn present(&self) -> Present {
        let entries = self.entries.values().cloned().collect();
        Present { complete: true, announced: None, entries }
    }

    pub(super) fn put(&mut self, mark: Option<ObjectId>, attributes: Attributes) -> ForeignKey {
        self.last += 1;
        let key = ForeignKey(format!("entry {:03}", self.last));
        let entry = PresentEntry { key: key.clone(), mark, attributes };
        self.entries.insert(key.clone(), entry);
        key
    }

    /// Carries an export out; how many entries failed.
    pub(super) fn apply(&mut self, plan: &Plan) -> usize {
        let mut failed = 0;
        for deletion in &plan.deletions {
            self.entries.remove(deletion.subject.key.as_ref().unwrap()).unwrap();
            self.links.retain(|_, key| Some(&*key) != deletion.subject.key.as_ref());
        }
        for entry in plan.modifications.iter().chain(&plan.additions) {
            let lacks = |c: &Change| Some(c.attribute.to_string().as_str()) == self.lacks;
            if entry.changes.iter().any(lacks) {
                failed += 1;
                continue;
            }
            let id = entry.subject.id.unwrap();
            let key = match &entry.subject.key {
                Some(key) => key.clone(),
                None => self.put(None, Attributes::new()),
            };
            let present = self.entries.get_mut(&key).unwrap();
            entry.apply(&mut present.attributes);
            present.mark = self.marks.then_some(id);
            self.links.insert(id, key);
        }
        failed
    }
}
