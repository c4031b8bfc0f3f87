//! The tree: where each object stands, as LDAP names say it (RFC 4514).
//!
//! ```text
//! o=<organisation>
//!   ou=<site>
//!     cn=Recipients            mailboxes, contacts, lists, ... and containers of them
//!     cn=Configuration
//!       cn=Connections         connectors
//!       cn=Site Addressing     generators
//!       cn=Domains
//!       cn=Servers
//!       cn=Roles
//! ```
//!
//! The names of containers are unique in the site, those of recipients too, so
//! that an object keeps its name when it moves (the original's could not move:
//! Q158028).

use crate::{Directory, DirectoryError, Kind, Object};
use concord_base::ObjectId;
use std::collections::BTreeMap;

/// Containers in containers; deeper ones are a mistake.
pub const MAX_CONTAINER_DEPTH: usize = 32;

/// Names of the organisation, the site, and the site's containers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    organisation: String,
    site: String,
    containers: BTreeMap<ObjectId, (String, Option<ObjectId>)>,
}

impl Tree {
    /// The tree of a directory as it is now.
    pub async fn read(directory: &dyn Directory) -> Result<Self, DirectoryError> {
        let first = |objects: Vec<std::sync::Arc<Object>>| {
            objects.first().map(|object| object.name.clone()).unwrap_or_default()
        };
        let containers = directory.list(Kind::Container).await?;
        Ok(Self {
            organisation: first(directory.list(Kind::Organisation).await?),
            site: first(directory.list(Kind::Site).await?),
            containers: containers
                .iter()
                .map(|c| (c.id, (c.name.clone(), c.policy.container)))
                .collect(),
        })
    }

    /// A tree without containers.
    pub fn new(organisation: impl Into<String>, site: impl Into<String>) -> Self {
        let (organisation, site) = (organisation.into(), site.into());
        Self { organisation, site, containers: BTreeMap::new() }
    }

    /// Takes in a container as it is now, or forgets it.
    pub fn set_container(&mut self, id: ObjectId, container: Option<(String, Option<ObjectId>)>) {
        match container {
            Some(container) => drop(self.containers.insert(id, container)),
            None => drop(self.containers.remove(&id)),
        }
    }

    /// Takes in new names of the organisation and the site, if there are any.
    pub fn rename(&mut self, organisation: Option<String>, site: Option<String>) {
        self.organisation = organisation.unwrap_or_else(|| std::mem::take(&mut self.organisation));
        self.site = site.unwrap_or_else(|| std::mem::take(&mut self.site));
    }

    /// The organisation's name.
    pub fn organisation(&self) -> &str {
        &self.organisation
    }

    /// The site's name.
    pub fn site(&self) -> &str {
        &self.site
    }

    /// `ou=<site>,o=<organisation>`
    pub fn site_dn(&self) -> String {
        format!("ou={},o={}", escape_rdn(&self.site), escape_rdn(&self.organisation))
    }

    /// The names from the site's Recipients down to a container; empty for
    /// Recipients itself.
    pub fn path(&self, container: Option<ObjectId>) -> Vec<&str> {
        let mut path = Vec::new();
        let mut next = container;
        while let Some((name, parent)) = next.and_then(|id| self.containers.get(&id)) {
            path.push(name.as_str());
            if path.len() > MAX_CONTAINER_DEPTH {
                break;
            }
            next = *parent;
        }
        path.reverse();
        path
    }

    /// Whether a place is a container or below it.
    pub fn is_within(&self, place: Option<ObjectId>, container: ObjectId) -> bool {
        let mut next = place;
        for _ in 0..=MAX_CONTAINER_DEPTH {
            match next {
                Some(id) if id == container => return true,
                Some(id) => next = self.containers.get(&id).and_then(|(_, parent)| *parent),
                None => return false,
            }
        }
        false
    }

    /// The LDAP name of a place for recipients.
    pub fn container_dn(&self, container: Option<ObjectId>) -> String {
        let mut dn = String::new();
        for name in self.path(container).iter().rev() {
            dn.push_str("cn=");
            dn.push_str(&escape_rdn(name));
            dn.push(',');
        }
        format!("{dn}cn=Recipients,{}", self.site_dn())
    }

    /// An object's LDAP name.
    pub fn dn(&self, object: &Object) -> String {
        let place = match object.kind() {
            Kind::Organisation => return format!("o={}", escape_rdn(&object.name)),
            Kind::Site => {
                return format!(
                    "ou={},o={}",
                    escape_rdn(&object.name),
                    escape_rdn(&self.organisation)
                );
            }
            Kind::Container => return self.container_dn(Some(object.id)),
            Kind::Connector => "cn=Connections,cn=Configuration",
            Kind::Generator => "cn=Site Addressing,cn=Configuration",
            Kind::Domain => "cn=Domains,cn=Configuration",
            Kind::Server => "cn=Servers,cn=Configuration",
            Kind::Role => "cn=Roles,cn=Configuration",
            Kind::Mailbox | Kind::Contact | Kind::List | Kind::PublicFolder | Kind::Resource => {
                let place = self.container_dn(object.policy.container);
                return format!("cn={},{place}", escape_rdn(&object.name));
            }
        };
        format!("cn={},{place},{}", escape_rdn(&object.name), self.site_dn())
    }
}

/// A value as it stands in an LDAP name (RFC 4514 section 2.4).
pub fn escape_rdn(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (place, c) in value.chars().enumerate() {
        let at_end = place == 0 || place == last;
        match c {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '=' => {
                out.push('\\');
                out.push(c);
            }
            ' ' if at_end => out.push_str("\\ "),
            '#' if place == 0 => out.push_str("\\#"),
            '\0' => out.push_str("\\00"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Details, Mailbox, NewObject, Policy};
    use concord_base::Timestamp;

    fn tree() -> Tree {
        let mut tree = Tree::new("Acme, Inc.", "HQ");
        tree.set_container(ObjectId(10), Some(("Sales".into(), None)));
        tree.set_container(ObjectId(11), Some(("EMEA".into(), Some(ObjectId(10)))));
        tree
    }

    #[test]
    fn objects_have_ldap_names() {
        let new = NewObject {
            policy: Policy { container: Some(ObjectId(11)), ..Policy::default() },
            ..NewObject::new("doe+jane", Details::Mailbox(Mailbox::default()))
        };
        let object = Object::from_new(ObjectId(1), new, Timestamp(0));
        assert_eq!(
            tree().dn(&object),
            "cn=doe\\+jane,cn=EMEA,cn=Sales,cn=Recipients,ou=HQ,o=Acme\\, Inc."
        );
        assert_eq!(tree().path(Some(ObjectId(11))), ["Sales", "EMEA"]);
        assert_eq!(escape_rdn(" #a"), "\\ #a");
        assert_eq!(escape_rdn("#a "), "\\#a\\ ");
    }

    #[test]
    fn a_place_is_within_what_it_lies_in() {
        let tree = tree();
        assert!(tree.is_within(Some(ObjectId(11)), ObjectId(10)));
        assert!(!tree.is_within(Some(ObjectId(10)), ObjectId(11)));
        assert!(!tree.is_within(None, ObjectId(10)));
        let mut looped = tree;
        looped.set_container(ObjectId(10), Some(("Sales".into(), Some(ObjectId(11)))));
        assert!(!looped.is_within(Some(ObjectId(11)), ObjectId(99)));
        assert!(looped.path(Some(ObjectId(11))).len() > MAX_CONTAINER_DEPTH);
    }
}
