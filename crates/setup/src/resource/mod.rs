//! What each kind of resource looks like on the machine, and the steps that
//! make it as it is declared or take it away. One kind, one file.

mod file;
mod link;
mod listener;
mod object;
mod schema;
mod service;
mod tree;
mod unit;
mod user;

pub(crate) mod directory;

use crate::error::Result;
use crate::host::{DirectoryState, Host, ObjectState};
use crate::plan::Plan;
use concord_registry::{Class, Installation, Resource};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What is there of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Nothing.
    Absent,
    /// What is declared.
    Same,
    /// Something else; in words.
    Differs(String),
}

/// What observing needs.
pub struct Sight<'a> {
    /// The machine.
    pub host: &'a Host,
    /// How Concord sits on it.
    pub installation: &'a Installation,
    /// Directory and store; none if there is no store.
    pub directory: Option<&'a DirectoryState>,
    /// Objects to make where the directory lacks them, by resource key.
    pub objects: &'a BTreeMap<String, ObjectState>,
    /// Whether program files are read and hashed; else only looked at.
    pub hash: bool,
    /// Program files that are gone are told and left: a part that is only
    /// registered must not stop what it has nothing to do with (Q196171).
    pub lenient: bool,
    /// Program files will be staged by the time the plan is carried out; for dry
    /// runs.
    pub promised: bool,
    /// A tree that an earlier step of the same plan puts in its place.
    pub moved: Option<PathBuf>,
    /// The program that knows this release's schema, and its arguments.
    pub migrate: Option<(PathBuf, Vec<String>)>,
}

/// What becomes of paths that are taken away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Disposal {
    /// Classes that stay where they are.
    pub keep: BTreeSet<Class>,
    /// Where configuration, data, keys and logs go; none is gone for good.
    pub quarantine: Option<PathBuf>,
    /// The whole root goes: what is in it is not moved one by one.
    pub everything: bool,
}

impl Disposal {
    /// Whether a path of this class is worth keeping a copy of.
    pub(crate) fn goes_to_quarantine(&self, class: Class) -> Option<&Path> {
        match class {
            Class::Config | Class::Data | Class::Keys | Class::Log => self.quarantine.as_deref(),
            Class::Program | Class::Runtime | Class::Setup => None,
        }
    }
}

impl<'a> Sight<'a> {
    /// A view in which nothing special holds.
    pub fn new(
        host: &'a Host,
        installation: &'a Installation,
        directory: Option<&'a DirectoryState>,
        objects: &'a BTreeMap<String, ObjectState>,
    ) -> Self {
        Self {
            host,
            installation,
            directory,
            objects,
            hash: true,
            lenient: false,
            promised: false,
            moved: None,
            migrate: None,
        }
    }

    pub(crate) fn path(&self, path: &Path) -> PathBuf {
        self.host.layout.resolve(path)
    }

    /// The user who is to own a path.
    pub(crate) fn owner(&self, service_owned: bool) -> Option<String> {
        self.installation.user.clone().filter(|_| service_owned)
    }
}

/// What is there of a resource.
pub fn observe(resource: &Resource, sight: &Sight<'_>) -> Result<Seen> {
    match resource {
        Resource::Directory { path, mode, service_owned, .. } => {
            directory::observe(sight, path, *mode, *service_owned)
        }
        Resource::File { path, mode, service_owned, seed, .. } => {
            file::observe(sight, path, *mode, *service_owned, seed)
        }
        Resource::Link { path, target } => Ok(link::observe(sight, path, target)),
        Resource::Tree { path, files } => tree::observe(sight, path, files),
        Resource::User { name, .. } => user::observe(sight, name),
        Resource::Unit { name, directory, content } => {
            unit::observe(sight, name, directory, content)
        }
        Resource::Service { name, record } => Ok(service::observe(sight, name, record)),
        Resource::Connector { name } => Ok(object::observe_connector(sight, name)),
        Resource::Generator { address_type, rule } => {
            Ok(object::observe_generator(sight, address_type, rule))
        }
        Resource::Listener { .. } => Ok(listener::observe()),
        Resource::Schema { version, .. } => Ok(schema::observe(sight, *version)),
    }
}

/// Adds the steps that make the resource as it is declared.
pub fn apply(resource: &Resource, seen: &Seen, sight: &Sight<'_>, plan: &mut Plan) -> Result<()> {
    let why = match seen {
        Seen::Same => return Ok(()),
        Seen::Absent => {
            plan.change("make", resource.what(), "it is not there");
            "it is not there"
        }
        Seen::Differs(why) => {
            plan.change("change", resource.what(), why);
            why
        }
    };
    match resource {
        Resource::Directory { path, mode, service_owned, whole, .. } => {
            directory::apply(sight, path, *mode, *service_owned, *whole, seen, plan);
        }
        Resource::File { path, mode, service_owned, seed, .. } => {
            file::apply(sight, path, *mode, *service_owned, seed, seen, plan);
        }
        Resource::Link { path, target } => link::apply(sight, path, target, plan),
        Resource::Tree { path, .. } => return tree::apply(sight, path, why, plan),
        Resource::User { name, home } => user::apply(sight, name, home, plan),
        Resource::Unit { name, directory, content } => {
            unit::apply(name, directory, content, plan);
        }
        Resource::Service { name, record } => service::apply(sight, name, record, plan),
        Resource::Connector { .. } | Resource::Generator { .. } => {
            object::apply(sight, resource, plan);
        }
        Resource::Listener { .. } => {}
        Resource::Schema { .. } => schema::apply(sight, plan),
    }
    Ok(())
}

/// Adds the steps that take the resource away. What is not there is fine.
pub fn remove(
    resource: &Resource,
    sight: &Sight<'_>,
    disposal: &Disposal,
    plan: &mut Plan,
) -> Result<()> {
    match resource {
        Resource::Directory { path, whole, class, .. } => {
            directory::remove(sight, path, *whole, *class, disposal, plan);
        }
        Resource::File { path, class, .. } => file::remove(sight, path, *class, disposal, plan),
        Resource::Link { path, target } => link::remove(sight, path, target, plan),
        Resource::Tree { path, .. } => tree::remove(sight, path, plan),
        Resource::User { name, .. } => user::remove(sight, name, plan)?,
        Resource::Unit { name, directory, .. } => unit::remove(sight, name, directory, plan),
        Resource::Service { name, .. } => service::remove(sight, name, plan),
        Resource::Connector { .. } | Resource::Generator { .. } => {
            object::remove(sight, resource, disposal, plan);
        }
        Resource::Listener { .. } | Resource::Schema { .. } => {}
    }
    Ok(())
}

/// The order in which resources are made; they are taken away in the reverse one.
pub(crate) fn rank(resource: &Resource) -> (u8, String) {
    let rank = match resource {
        Resource::User { .. } => 0,
        Resource::Directory { .. } => 1,
        Resource::Tree { .. } => 2,
        Resource::File { .. } => 3,
        Resource::Link { .. } => 4,
        Resource::Schema { .. } => 5,
        Resource::Connector { .. } => 6,
        Resource::Generator { .. } => 7,
        Resource::Listener { .. } => 8,
        Resource::Service { .. } => 9,
        Resource::Unit { .. } => 10,
    };
    (rank, resource.key())
}
