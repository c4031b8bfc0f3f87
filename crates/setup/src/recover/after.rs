//! What is to be registered after a recovery: everything that is installed
//! here, what the backup had, and what the directory needs.

use super::{RecoverOptions, settings};
use crate::backup::{Backup, Part};
use crate::error::{Result, SetupError};
use crate::host::{DirectoryState, Host, ObjectState};
use crate::layout::CONNECTORS;
use crate::manifest::{self, BUILT_IN, CORE, Facts};
use crate::package::CONTRACT;
use crate::plan::Plan;
use crate::survey::read_package;
use crate::verb::ReleaseFacts;
use crate::verb::component::{declare_built_in, seed_of_settings};
use crate::verb::install::{Source, built_in};
use concord_registry::{Component, Origin, Place, Registry, Release};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Directory objects as they are made where they are missing, by resource key.
pub(super) type Objects = BTreeMap<String, ObjectState>;

/// What the registry afterwards is made of.
pub(super) struct Sources<'a> {
    pub host: &'a Host,
    pub backup: &'a Backup,
    /// The backup's registry.
    pub was: &'a Registry,
    /// What is registered here.
    pub here: Option<&'a Registry>,
    pub release: &'a ReleaseFacts,
    pub options: &'a RecoverOptions,
    pub parts: &'a BTreeSet<Part>,
    /// What the directory says afterwards.
    pub directory: Option<&'a DirectoryState>,
    /// The host name that the settings say afterwards, if they are recovered.
    pub hostname: Option<String>,
}

impl Sources<'_> {
    /// The registry afterwards, and objects of what is new.
    pub fn registry(&self, plan: &mut Plan) -> Result<(Registry, Objects)> {
        let mut after = match self.here {
            Some(here) => here.clone(),
            None => self.bare()?,
        };
        self.identify(&mut after);
        let wanted = self.wanted();
        let mut new = BTreeSet::new();
        for name in wanted {
            if after.components.contains_key(&name) {
                continue;
            }
            if let Some(component) = self.component(&name, &after, plan) {
                plan.change(
                    "add",
                    format!("component {name}"),
                    "the backup or its directory has it",
                );
                after.components.insert(name.clone(), component);
                new.insert(name);
            }
        }
        let objects = self.declare(&mut after, &new)?;
        Ok((after, objects))
    }

    /// A registry without components, as this machine's installation.
    fn bare(&self) -> Result<Registry> {
        let machine = &self.options.machine;
        let now = self.host.now();
        let version = self.release.version.clone();
        let entry = Release {
            version: version.clone(),
            platform: self.release.platform.clone(),
            schemas: self.release.schemas,
            installed: now,
            place: match &machine.source {
                Source::InPlace(program) => Place::InPlace { program: program.clone() },
                Source::Staged => Place::Staged,
            },
        };
        Ok(Registry {
            schema: Registry::SCHEMA,
            identity: self.was.identity.clone(),
            installation: machine.installation.clone(),
            current: version,
            previous: None,
            releases: vec![entry],
            components: BTreeMap::new(),
            resources: Vec::new(),
        })
    }

    /// Who this server is afterwards: the store says it, and the settings.
    fn identify(&self, after: &mut Registry) {
        let identity = &mut after.identity;
        if self.parts.contains(&Part::Store) {
            let theirs = &self.backup.manifest.identity;
            identity.lineage = theirs.lineage;
            identity.organisation.clone_from(&theirs.organisation);
        } else if self.here.is_none() {
            // A store that comes from elsewhere is learned by the next run.
            identity.lineage = self.directory.and_then(|d| d.lineage);
        }
        if let Some(hostname) = &self.hostname {
            identity.hostname.clone_from(hostname);
        }
    }

    /// Names of components that are to be here afterwards.
    fn wanted(&self) -> Vec<String> {
        let mut wanted = Vec::new();
        if self.here.is_none() {
            wanted.push(CORE.to_owned());
        }
        if self.parts.contains(&Part::Registry) {
            wanted.extend(self.was.components.keys().cloned());
        }
        if self.parts.contains(&Part::Connectors) {
            let external = |c: &Component| matches!(c.origin, Origin::Package { .. });
            let all = self.was.components.iter();
            wanted.extend(all.filter(|(_, c)| external(c)).map(|(name, _)| name.clone()));
        }
        // A connector that the directory knows has its service (Q188632).
        let connectors = self.directory.iter().flat_map(|d| &d.connectors);
        wanted.extend(connectors.map(|connector| match manifest::kind(&connector.component) {
            Some(_) => connector.name.clone(),
            None => connector.component.clone(),
        }));
        let mut seen = BTreeSet::new();
        wanted.retain(|name| seen.insert(name.clone()));
        wanted
    }

    /// A component that is not here; none, with a note, if it cannot be made.
    fn component(&self, name: &str, after: &Registry, plan: &mut Plan) -> Option<Component> {
        let was = self.was.components.get(name);
        if BUILT_IN.contains(&name) {
            let mut component = built_in(&after.current, self.host.now());
            component.enabled = was.is_none_or(|c| c.enabled);
            return Some(component);
        }
        if let Some(kind) = self.kind_of(name) {
            let mut component = built_in(&after.current, self.host.now());
            component.origin = Origin::BuiltIn { connector: kind };
            component.enabled = was.is_none_or(|c| c.enabled);
            component.listeners = was.map(|c| c.listeners.clone()).unwrap_or_default();
            return Some(component);
        }
        let advice = format!(
            "install it with 'concord connector install FILE.ccp' (its settings are in the \
             directory and stay); until then 'concord doctor' reports CC-0103 for '{name}'"
        );
        let Some(component) = was.filter(|c| self.package(name, c).exists()) else {
            plan.notes.push(format!("the package of '{name}' is not in the backup: {advice}"));
            return None;
        };
        if let Origin::Package { contract, .. } = component.origin
            && contract > CONTRACT
        {
            plan.notes.push(format!(
                "the package of '{name}' needs contract {contract}, this release keeps \
                 {CONTRACT}: {advice}"
            ));
            return None;
        }
        Some(Component { installed: self.host.now(), ..component.clone() })
    }

    /// The kind of a connector that every release has, by the registry that was or
    /// the directory.
    fn kind_of(&self, name: &str) -> Option<String> {
        if let Some(Origin::BuiltIn { connector }) =
            self.was.components.get(name).map(|component| &component.origin)
        {
            return manifest::kind(connector).map(|kind| kind.connector.name);
        }
        let connectors = self.directory.iter().flat_map(|d| &d.connectors);
        let object = connectors.into_iter().find(|connector| connector.name == name)?;
        manifest::kind(&object.component).map(|kind| kind.connector.name)
    }

    /// Where a package is staged; for a dry run, where it is in the backup.
    fn package(&self, name: &str, component: &Component) -> PathBuf {
        let staging = self.host.layout.staging();
        let top = if self.options.dry_run { &self.backup.path } else { &staging };
        top.join(CONNECTORS).join(name).join(&component.version)
    }

    fn declare(&self, after: &mut Registry, new: &BTreeSet<String>) -> Result<Objects> {
        let mut objects = Objects::new();
        if self.here.is_some() {
            if !new.is_empty() {
                declare_built_in(self.host, after)?;
            }
        } else {
            objects.extend(self.declare_anew(after)?);
        }
        let release = after.release().cloned().ok_or_else(|| {
            SetupError::invalid("recover", "the registry does not say which release runs")
        })?;
        let installation = after.installation.clone();
        for name in new.iter().filter(|name| !BUILT_IN.contains(&name.as_str())) {
            let Some(component) = after.components.get(name).cloned() else { continue };
            let package = match component.origin {
                Origin::BuiltIn { .. } => None,
                _ => Some(read_package(&self.package(name, &component))?),
            };
            let facts = Facts::for_package(&self.host.layout, &installation, &release);
            let declared = manifest::of(name, &component, package.as_ref(), &facts)?;
            objects.extend(declared.objects);
            after.own(name, declared.resources);
        }
        Ok(objects)
    }

    /// Built-in components where nothing is installed.
    fn declare_anew(&self, after: &mut Registry) -> Result<Objects> {
        let mut seed = seed_of_settings(self.was);
        if let Some(hostname) = &self.hostname {
            seed = settings::with_hostname(&seed, hostname)?;
        }
        let Some(release) = after.release().cloned() else { return Ok(Objects::new()) };
        let installation = after.installation.clone();
        let facts = Facts {
            layout: &self.host.layout,
            installation: &installation,
            release: &release,
            files: &self.options.machine.files,
            settings: &seed,
            previous: None,
        };
        let mut objects = Objects::new();
        for name in BUILT_IN {
            let Some(component) = after.components.get(name).cloned() else { continue };
            let declared = manifest::of(name, &component, None, &facts)?;
            objects.extend(declared.objects);
            after.own(name, declared.resources);
        }
        Ok(objects)
    }
}
