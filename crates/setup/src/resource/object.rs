//! Connector objects and address generators of the directory.

use super::{Disposal, Seen, Sight};
use crate::host::{ObjectKey, ObjectState};
use crate::plan::Plan;
use crate::step::Step;
use concord_registry::Resource;

/// What is in it is the administrator's; that it is there is ours.
pub(super) fn observe_connector(sight: &Sight<'_>, name: &str) -> Seen {
    let there = sight.directory.is_some_and(|d| d.connectors.iter().any(|c| c.name == name));
    if there { Seen::Same } else { Seen::Absent }
}

pub(super) fn observe_generator(sight: &Sight<'_>, address_type: &str, rule: &str) -> Seen {
    let found =
        sight.directory.and_then(|d| d.generators.iter().find(|g| g.address_type == address_type));
    match found {
        None => Seen::Absent,
        // A rule that an administrator changed stays changed (Q195697).
        Some(there) if there.rule != rule => Seen::Same,
        Some(_) => Seen::Same,
    }
}

fn key_of(resource: &Resource) -> Option<ObjectKey> {
    match resource {
        Resource::Connector { name } => Some(ObjectKey::Connector(name.clone())),
        Resource::Generator { address_type, .. } => {
            Some(ObjectKey::Generator(address_type.clone()))
        }
        _ => None,
    }
}

pub(super) fn apply(sight: &Sight<'_>, resource: &Resource, plan: &mut Plan) {
    let Some(object) = sight.objects.get(&resource.key()) else { return };
    plan.step(Step::PutObject { object: Box::new(object.clone()) });
    if matches!(object, ObjectState::Generator(_)) {
        plan.after(Step::Stamp);
    }
}

/// With everything the store goes too; there is nothing to take out of it.
pub(super) fn remove(sight: &Sight<'_>, resource: &Resource, disposal: &Disposal, plan: &mut Plan) {
    let Some(key) = key_of(resource) else { return };
    let there = sight.directory.is_some_and(|d| d.object(&key).is_some());
    if there && !disposal.everything {
        plan.change("remove", resource.what(), "its component goes");
        plan.step(Step::RemoveObject { key });
    }
}
