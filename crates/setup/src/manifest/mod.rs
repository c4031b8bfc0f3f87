//! What each component is made of: its resources, declared once.
//!
//! Built-in components are functions here; an external connector brings its
//! `connector.toml`. Components that do not exist yet have no manifest.

mod built_in;
mod core;
mod external;
mod internet_mail;
mod web;

pub use built_in::{kind, kinds};
pub(crate) use core::UNIT_NAME;

use crate::error::{Result, SetupError};
use crate::host::ObjectState;
use crate::layout::Layout;
use crate::package::ConnectorManifest;
use crate::record::ServiceRecord;
use concord_registry::{
    Component, Installation, Origin, Place, Registry, Release, Resource, TreeFile,
};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The directory, the store, the queue and what serves them.
pub const CORE: &str = "core";
/// The connector to the Internet.
pub const INTERNET_MAIL: &str = "internet-mail";
/// Certificates, and documents for mail programs.
pub const WEB: &str = "web";
/// Components that every release has, in the order in which they are installed.
pub const BUILT_IN: [&str; 3] = [CORE, INTERNET_MAIL, WEB];

/// What a manifest is made for.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Where things are.
    pub layout: &'a Layout,
    /// How Concord sits on the machine.
    pub installation: &'a Installation,
    /// The release.
    pub release: &'a Release,
    /// The release's files, if it is staged.
    pub files: &'a [TreeFile],
    /// The seed of the settings file.
    pub settings: &'a str,
    /// The release to go back to, if it is kept.
    pub previous: Option<&'a Resource>,
}

impl<'a> Facts<'a> {
    /// For components of a package: files, seed and the kept release are the
    /// core's alone.
    pub fn for_package(
        layout: &'a Layout,
        installation: &'a Installation,
        release: &'a Release,
    ) -> Self {
        Self { layout, installation, release, files: &[], settings: "", previous: None }
    }
}

/// What a component is made of.
#[derive(Debug, Clone, Default)]
pub struct Manifest {
    /// Its resources.
    pub resources: Vec<Resource>,
    /// Directory objects as they are made, by resource key.
    pub objects: BTreeMap<String, ObjectState>,
}

/// The manifest of a component. `package` is an external connector's.
pub fn of(
    name: &str,
    component: &Component,
    package: Option<&(ConnectorManifest, Vec<TreeFile>)>,
    facts: &Facts<'_>,
) -> Result<Manifest> {
    match (name, &component.origin, package) {
        (CORE, Origin::Release, _) => Ok(core::manifest(component, facts)),
        (INTERNET_MAIL, Origin::Release, _) => Ok(internet_mail::manifest(component, facts)),
        (WEB, Origin::Release, _) => Ok(web::manifest(component, facts)),
        (_, Origin::BuiltIn { connector }, _) => match built_in::kind(connector) {
            Some(kind) => Ok(external::built_in(name, component, &kind, facts)),
            None => Err(SetupError::invalid(
                "find the connector",
                format!(
                    "this release has no connector '{connector}'; it has {}",
                    kinds().collect::<Vec<_>>().join(", ")
                ),
            )),
        },
        (_, Origin::Package { .. }, Some((package, files))) => {
            Ok(external::manifest(name, component, package, files))
        }
        (_, Origin::Package { .. }, None) => Err(SetupError::invalid(
            "read the manifest",
            format!("the package of '{name}' is not there; install it again from its .ccp file"),
        )),
        _ => Err(SetupError::invalid(
            "find the component",
            format!(
                "this release has no '{name}'; it has {}, and connectors come from packages \
                 ('concord connector install FILE.ccp')",
                BUILT_IN.join(", ")
            ),
        )),
    }
}

/// The program of a release as service records name it.
pub fn program(release: &Release) -> PathBuf {
    match &release.place {
        Place::InPlace { program } => program.clone(),
        Place::Staged => PathBuf::from("current/concord"),
    }
}

fn built_in_record(name: &str, component: &Component, facts: &Facts<'_>) -> ServiceRecord {
    ServiceRecord {
        service: name.to_owned(),
        component: name.to_owned(),
        version: component.version.clone(),
        enabled: component.enabled,
        program: program(facts.release),
        arguments: vec!["serve".to_owned(), name.to_owned()],
        needs: if name == CORE { Vec::new() } else { vec![CORE.to_owned()] },
        listeners: Vec::new(),
        sockets: BTreeMap::new(),
        addresses: BTreeMap::new(),
        environment: BTreeMap::new(),
    }
}

fn service(record: &ServiceRecord) -> Resource {
    Resource::Service { name: record.service.clone(), record: record.to_text() }
}

fn listeners(names: &[&str]) -> impl Iterator<Item = Resource> {
    names
        .iter()
        .map(|name| Resource::Listener { name: (*name).to_owned() })
        .collect::<Vec<_>>()
        .into_iter()
}

/// Lets every component own what its manifest declares. Gives back the
/// manifests' objects; what nobody owns any more is no longer in the registry.
pub fn declare(
    registry: &mut Registry,
    packages: &BTreeMap<String, (ConnectorManifest, Vec<TreeFile>)>,
    facts: &Facts<'_>,
) -> Result<BTreeMap<String, ObjectState>> {
    let mut objects = BTreeMap::new();
    for (name, component) in registry.components.clone() {
        let manifest = of(&name, &component, packages.get(&name), facts)?;
        objects.extend(manifest.objects);
        registry.own(&name, manifest.resources);
    }
    Ok(objects)
}
