//! What an object says of others.

use crate::{Details, Kind, Object, Scope};
use concord_base::ObjectId;

/// Mailboxes only.
const MAILBOXES: &[Kind] = &[Kind::Mailbox];
/// Whoever can be a member of a role.
const PEOPLE: &[Kind] = &[Kind::Mailbox, Kind::List];

/// One object refers to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// The other one.
    pub to: ObjectId,
    /// As what: `member`, `owner`, ...
    pub role: &'static str,
    /// What it may be.
    pub kinds: &'static [Kind],
}

impl Object {
    /// Every object that this one refers to. One that is removed leaves all of
    /// them ([`Self::forget`]), but for a container, which must be empty first.
    pub fn references(&self) -> Vec<Reference> {
        let mut found = Vec::new();
        self.each_list(|ids, role, kinds| {
            found.extend(ids.iter().map(|to| Reference { to: *to, role, kinds }));
        });
        if let Some(forward) = &self.policy.forward {
            found.push(Reference { to: forward.to, role: "forward", kinds: &Kind::RECIPIENTS });
        }
        if let Some(container) = self.policy.container {
            found.push(Reference { to: container, role: "container", kinds: &[Kind::Container] });
        }
        found
    }

    /// Takes an object out of everything that this one says.
    pub fn forget(&mut self, gone: ObjectId) {
        self.each_list_mut(|ids| ids.retain(|id| *id != gone));
        if self.policy.forward.is_some_and(|forward| forward.to == gone) {
            self.policy.forward = None;
        }
    }

    /// Gives every object that this one refers to another id; what has none is
    /// left out. For directories that are put together.
    pub fn renumber(&mut self, new_id: impl Fn(ObjectId) -> Option<ObjectId>) {
        self.each_list_mut(|ids| *ids = ids.iter().filter_map(|id| new_id(*id)).collect());
        self.policy.forward = self
            .policy
            .forward
            .and_then(|forward| new_id(forward.to).map(|to| crate::Forward { to, ..forward }));
        self.policy.container = self.policy.container.and_then(new_id);
    }

    fn each_list(&self, mut see: impl FnMut(&[ObjectId], &'static str, &'static [Kind])) {
        match &self.details {
            Details::List(list) => {
                see(&list.members, "member", &Kind::RECIPIENTS);
                see(&list.owners, "owner", MAILBOXES);
            }
            Details::PublicFolder(folder) => see(&folder.owners, "owner", MAILBOXES),
            Details::Resource(resource) => see(&resource.owners, "owner", MAILBOXES),
            Details::Role(role) => {
                see(&role.members, "member", PEOPLE);
                if let Scope::Containers(containers) = &role.scope {
                    see(containers, "scope", &[Kind::Container]);
                }
            }
            _ => {}
        }
        see(&self.policy.accept_from, "accepted sender", &Kind::RECIPIENTS);
        see(&self.policy.reject_from, "rejected sender", &Kind::RECIPIENTS);
        see(&self.policy.delegates, "delegate", MAILBOXES);
    }

    fn each_list_mut(&mut self, mut change: impl FnMut(&mut Vec<ObjectId>)) {
        match &mut self.details {
            Details::List(list) => {
                change(&mut list.members);
                change(&mut list.owners);
            }
            Details::PublicFolder(folder) => change(&mut folder.owners),
            Details::Resource(resource) => change(&mut resource.owners),
            Details::Role(role) => {
                change(&mut role.members);
                if let Scope::Containers(containers) = &mut role.scope {
                    change(containers);
                }
            }
            _ => {}
        }
        change(&mut self.policy.accept_from);
        change(&mut self.policy.reject_from);
        change(&mut self.policy.delegates);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DistributionList, Forward, NewObject, Policy};
    use concord_base::Timestamp;

    #[test]
    fn an_object_that_is_gone_leaves_everything_that_named_it() {
        let (gone, stays) = (ObjectId(2), ObjectId(3));
        let both = vec![gone, stays];
        let details = Details::List(DistributionList {
            members: both.clone(),
            owners: both.clone(),
            ..DistributionList::default()
        });
        let new = NewObject {
            policy: Policy {
                accept_from: both.clone(),
                reject_from: both.clone(),
                delegates: both,
                forward: Some(Forward { to: gone, keep: true }),
                ..Policy::default()
            },
            ..NewObject::new("list", details)
        };
        let mut object = Object::from_new(ObjectId(1), new, Timestamp(0));
        assert_eq!(object.references().iter().filter(|r| r.to == gone).count(), 6);
        object.forget(gone);
        let left: Vec<ObjectId> = object.references().iter().map(|r| r.to).collect();
        assert_eq!(left, vec![stays; 5]);
        object.renumber(|id| Some(ObjectId(id.0 + 10)));
        assert_eq!(object.list().unwrap().members, [ObjectId(13)]);
    }
}
