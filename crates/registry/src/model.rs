//! The registry as one value.

use crate::resource::Resource;
use concord_base::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use uuid::Uuid;

/// Who this server is. Names may change; the ids do not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// This installation.
    pub server: Uuid,
    /// The store that belongs to it: the id of its message log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Uuid>,
    /// The organisation's name, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// The host name that services say.
    pub hostname: String,
    /// When it was set up.
    pub created: Timestamp,
}

/// What starts the controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manager {
    /// Somebody runs `concord up`.
    None,
    /// A unit of systemd.
    Systemd,
}

/// How Concord sits on the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Installation {
    /// What starts the controller.
    pub manager: Manager,
    /// The user that services run as, made by Setup; none is whoever runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Where the command `concord` is linked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_link: Option<PathBuf>,
    /// Where unit files are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_directory: Option<PathBuf>,
    /// A package of the operating system that owns the program; then Setup does
    /// not update it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
}

/// Versions of what a release writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schemas {
    /// The index of the store.
    pub index: i64,
    /// The registry.
    pub registry: i64,
    /// The connector contract.
    pub contract: u32,
}

/// Where a release's program is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Place {
    /// Where it was when Setup ran; somebody else keeps it.
    InPlace {
        /// The executable.
        program: PathBuf,
    },
    /// `releases/VERSION`, kept by Setup.
    Staged,
}

/// A release of the program that is on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Its version.
    pub version: String,
    /// The platform that it was built for, `x86_64-linux`.
    pub platform: String,
    /// What it writes.
    pub schemas: Schemas,
    /// When it was put here.
    pub installed: Timestamp,
    /// Where its program is.
    pub place: Place,
}

/// Where a component comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Origin {
    /// Part of every release; its version is the release's.
    Release,
    /// A connector of a kind that every release has; its version is the
    /// release's.
    BuiltIn {
        /// The kind: `groupwise`, `ovvm`.
        connector: String,
    },
    /// A package of an external connector.
    Package {
        /// The contract version that it needs.
        contract: u32,
        /// The key that signed it.
        key: String,
        /// SHA-256 of the package's list of files.
        sha256: String,
    },
}

impl Origin {
    /// Whether it comes with every release, and has its version.
    pub fn is_of_release(&self) -> bool {
        !matches!(self, Self::Package { .. })
    }
}

/// An installed component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Its version.
    pub version: String,
    /// Whether its services are to run.
    pub enabled: bool,
    /// When it was installed.
    pub installed: Timestamp,
    /// Where it comes from.
    pub origin: Origin,
    /// Addresses of its listeners that are not in the settings, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub listeners: BTreeMap<String, String>,
}

/// A resource with its owners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owned {
    /// Components that need it; never empty.
    pub owners: BTreeSet<String>,
    /// The resource.
    pub resource: Resource,
}

/// Everything that Setup knows of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// The form of this value; [`Registry::SCHEMA`].
    pub schema: i64,
    /// Who this server is.
    pub identity: Identity,
    /// How Concord sits on the machine.
    pub installation: Installation,
    /// The version of the release that runs.
    pub current: String,
    /// The version to go back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// Releases that are here, by version.
    #[serde(default)]
    pub releases: Vec<Release>,
    /// Components by name.
    #[serde(default)]
    pub components: BTreeMap<String, Component>,
    /// Resources, sorted by key.
    #[serde(default)]
    pub resources: Vec<Owned>,
}

impl Registry {
    /// Raised with every change of this value's form.
    pub const SCHEMA: i64 = 1;

    /// The release that runs.
    pub fn release(&self) -> Option<&Release> {
        self.release_of(&self.current)
    }

    /// A release by version.
    pub fn release_of(&self, version: &str) -> Option<&Release> {
        self.releases.iter().find(|r| r.version == version)
    }

    /// The resource of this key.
    pub fn resource(&self, key: &str) -> Option<&Owned> {
        self.resources.iter().find(|owned| owned.resource.key() == key)
    }

    /// Lets `component` own exactly `resources`. What others own too stays; what
    /// nobody owns any more is given back, for the caller to remove.
    pub fn own(&mut self, component: &str, resources: Vec<Resource>) -> Vec<Resource> {
        let mut left = Vec::new();
        let keys: BTreeSet<String> = resources.iter().map(Resource::key).collect();
        self.resources.retain_mut(|owned| {
            if !keys.contains(&owned.resource.key()) {
                owned.owners.remove(component);
            }
            let stays = !owned.owners.is_empty();
            if !stays {
                left.push(owned.resource.clone());
            }
            stays
        });
        for resource in resources {
            let key = resource.key();
            match self.resources.iter_mut().find(|owned| owned.resource.key() == key) {
                Some(owned) => {
                    owned.owners.insert(component.to_owned());
                    owned.resource = resource;
                }
                None => self
                    .resources
                    .push(Owned { owners: BTreeSet::from([component.to_owned()]), resource }),
            }
        }
        self.resources.sort_by_key(|owned| owned.resource.key());
        left
    }

    /// Takes a component out; gives back what nobody owns any more.
    pub fn disown(&mut self, component: &str) -> Vec<Resource> {
        let left = self.own(component, Vec::new());
        self.components.remove(component);
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tests::registry;

    fn generator(rule: &str) -> Resource {
        Resource::Generator { address_type: "HOOK".into(), rule: rule.into() }
    }

    #[test]
    fn shared_resources_stay_until_their_last_owner_goes() {
        let mut registry = registry();
        for name in ["a", "b", "c"] {
            assert!(registry.own(name, vec![generator("%m")]).is_empty());
        }
        assert_eq!(registry.resource("generator:HOOK").map(|o| o.owners.len()), Some(3));
        assert!(registry.disown("b").is_empty());
        assert!(registry.disown("a").is_empty());
        assert_eq!(registry.disown("c"), [generator("%m")]);
        assert!(registry.resource("generator:HOOK").is_none());
    }

    #[test]
    fn owning_again_with_less_gives_back_the_rest() {
        let mut registry = registry();
        let service = Resource::Listener { name: "http".into() };
        registry.own("a", vec![generator("%m"), service.clone()]);
        assert_eq!(registry.own("a", vec![generator("%d")]), [service]);
        assert_eq!(
            registry.resource("generator:HOOK").map(|o| o.resource.clone()),
            Some(generator("%d"))
        );
    }
}
