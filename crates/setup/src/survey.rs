//! What is there, looked at once: registry, records, services, directory,
//! settings, journal. Plans and findings are made from it.

use crate::error::{Result, SetupError};
use crate::hash;
use crate::host::{DirectoryState, Host, ObjectState, ServiceState};
use crate::journal::{self, Unfinished};
use crate::lock::{Holder, Lock};
use crate::package::ConnectorManifest;
use crate::record::{self, Found};
use crate::resource::Sight;
use concord_registry::{Component, Database, Origin, Registry, RegistryError, Resource, TreeFile};
use concord_settings::{Settings, SettingsError};
use serde_json::Map;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What is there.
pub struct Survey {
    /// The registry, or why it cannot be read.
    pub registry: std::result::Result<Option<Registry>, RegistryError>,
    /// What the copy beside a damaged registry says.
    pub copy: Option<Registry>,
    /// Directory and store; none if there is no store.
    pub directory: Option<DirectoryState>,
    /// Why directory and store could not be read.
    pub directory_error: Option<String>,
    /// Service records.
    pub records: Vec<Found>,
    /// What the controller runs; none if it does not.
    pub services: Option<Vec<ServiceState>>,
    /// The settings; an error if the file has mistakes.
    pub settings: std::result::Result<Settings, SettingsError>,
    /// A run that was cut off.
    pub unfinished: Option<Unfinished>,
    /// Who changes something right now.
    pub holder: Option<Holder>,
}

impl Survey {
    /// Looks. Changes nothing.
    pub fn take(host: &Host) -> Result<Self> {
        let database = Database::new(host.layout.registry());
        let registry = database.load();
        let copy = match &registry {
            Ok(_) => None,
            Err(_) => database.load_copy().unwrap_or_default(),
        };
        let (directory, directory_error) = match host.system.directory() {
            Ok(found) => (found, None),
            Err(error) => (None, Some(error.to_string())),
        };
        Ok(Self {
            registry,
            copy,
            directory,
            directory_error,
            records: record::read_all(&host.layout.services())?,
            services: host.system.services()?,
            settings: concord_settings::load(host.layout.root()),
            unfinished: journal::unfinished(&host.layout.journal())?,
            holder: Lock::holder(&host.layout.lock()),
        })
    }

    /// The registry, or what its copy says if it is damaged.
    pub fn known(&self) -> Option<&Registry> {
        match &self.registry {
            Ok(registry) => registry.as_ref(),
            Err(_) => self.copy.as_ref(),
        }
    }

    /// The registry of an installed server, to be changed.
    pub fn installed(&self, host: &Host) -> Result<&Registry> {
        match &self.registry {
            Ok(Some(registry)) => Ok(registry),
            Ok(None) => Err(SetupError::NotInstalled(host.layout.root().path().to_owned())),
            Err(error) => Err(error.clone().into()),
        }
    }

    /// A view for observing and applying what `registry` declares.
    pub fn sight<'a>(
        &'a self,
        host: &'a Host,
        registry: &'a Registry,
        objects: &'a BTreeMap<String, ObjectState>,
    ) -> Sight<'a> {
        Sight::new(host, &registry.installation, self.directory.as_ref(), objects)
    }
}

/// What the registry's connectors say of themselves: built-in ones by their kind,
/// external ones in their unpacked packages. Those that are gone are left out.
pub fn packages(
    host: &Host,
    registry: &Registry,
) -> BTreeMap<String, (ConnectorManifest, Vec<TreeFile>)> {
    let external =
        registry.components.iter().filter(|(_, component)| component.origin != Origin::Release);
    external
        .filter_map(|(name, component)| Some((name.clone(), package(host, name, component)?)))
        .collect()
}

fn package(
    host: &Host,
    name: &str,
    component: &Component,
) -> Option<(ConnectorManifest, Vec<TreeFile>)> {
    if let Origin::BuiltIn { connector } = &component.origin {
        return Some((crate::manifest::kind(connector)?, Vec::new()));
    }
    let tree = host.layout.connector(name, &component.version);
    read_package(&tree).ok()
}

/// The manifest and the files of an unpacked package.
pub fn read_package(tree: &std::path::Path) -> Result<(ConnectorManifest, Vec<TreeFile>)> {
    let path = tree.join("connector.toml");
    let text = std::fs::read_to_string(&path).map_err(SetupError::io("read", &path))?;
    let manifest = ConnectorManifest::parse(&text).map_err(|mistakes| {
        SetupError::invalid(
            "read connector.toml",
            format!("it has mistakes:\n  {}", mistakes.join("\n  ")),
        )
    })?;
    Ok((manifest, hash::tree(tree)?))
}

/// Directory objects as they are made where they are missing, by resource key.
pub fn objects(host: &Host, registry: &Registry) -> BTreeMap<String, ObjectState> {
    let packages = packages(host, registry);
    let mut objects = BTreeMap::new();
    for owned in &registry.resources {
        let Some(owner) = owned.owners.iter().next() else { continue };
        // What an object is of: the kind, if a release brings it under several
        // names.
        let component = match registry.components.get(owner).map(|c| &c.origin) {
            Some(Origin::BuiltIn { connector }) => connector,
            _ => owner,
        };
        let object = match &owned.resource {
            Resource::Connector { name } => default_connector(name, (owner, component), &packages),
            Resource::Generator { address_type, rule } => {
                ObjectState::Generator(crate::host::GeneratorObject {
                    address_type: address_type.clone(),
                    component: component.clone(),
                    rule: rule.clone(),
                })
            }
            _ => continue,
        };
        objects.insert(owned.resource.key(), object);
    }
    objects
}

fn default_connector(
    name: &str,
    (owner, component): (&str, &str),
    packages: &BTreeMap<String, (ConnectorManifest, Vec<TreeFile>)>,
) -> ObjectState {
    let spaces = match packages.get(owner) {
        Some((package, _)) => package
            .address_spaces
            .iter()
            .map(|s| serde_json::json!({ "type": s.kind, "pattern": s.pattern, "cost": s.cost }))
            .collect(),
        None if owner == crate::manifest::INTERNET_MAIL => {
            vec![serde_json::json!({ "type": "SMTP", "pattern": "*", "cost": 100 })]
        }
        None => Vec::new(),
    };
    ObjectState::Connector(crate::host::ConnectorObject {
        name: name.to_owned(),
        component: component.to_owned(),
        enabled: true,
        address_spaces: spaces,
        settings: packages.get(owner).map_or_else(Map::new, |(package, _)| package.defaults()),
    })
}

/// Entries of a directory by name; none if it is not there.
pub(crate) fn entries(path: &std::path::Path) -> Vec<PathBuf> {
    let Ok(found) = std::fs::read_dir(path) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = found.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
