//! `connector install` and `connector remove`: external connectors.

use super::component::{declare_built_in, plan_towards};
use crate::error::{Result, SetupError};
use crate::host::{Host, ObjectState};
use crate::manifest::{self, Facts};
use crate::package::{CONTRACT, ConnectorManifest};
use crate::plan::Plan;
use crate::step::Step;
use crate::survey::{self, Survey};
use concord_registry::{Component, Origin, TreeFile};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A package that was checked and unpacked into the staging directory.
#[derive(Debug, Clone)]
pub struct StagedPackage {
    /// The connector's name; the package's own unless told otherwise.
    pub name: String,
    /// Its manifest.
    pub manifest: ConnectorManifest,
    /// Its files.
    pub files: Vec<TreeFile>,
    /// The key that signed it.
    pub key: String,
    /// SHA-256 of its list of files.
    pub sha256: String,
    /// It is only looked at, not unpacked: a dry run.
    pub promised: bool,
}

/// Where a package is to be unpacked.
pub fn staged(host: &Host, name: &str, version: &str) -> PathBuf {
    host.layout.staging().join(crate::layout::CONNECTORS).join(name).join(version)
}

/// What the administrator says beside the package.
#[derive(Debug, Clone, Default)]
pub struct ConnectorOptions {
    /// Settings, merged over what is there or the defaults.
    pub settings: Map<String, Value>,
    /// Addresses of listeners by name; an empty text is none.
    pub listeners: BTreeMap<String, String>,
}

/// Plans the installation of a package, or its update if the connector is
/// there. What the administrator set stays.
pub fn plan_install(
    host: &Host,
    survey: &Survey,
    package: &StagedPackage,
    options: &ConnectorOptions,
) -> Result<Plan> {
    let before = survey.installed(host)?;
    let name = package.name.as_str();
    let verb = format!("connector install {name}");
    check(&verb, survey, package)?;
    let mut after = before.clone();
    let old = before.components.get(name);
    let listeners = listeners(&verb, &package.manifest, old, options)?;
    after.components.insert(
        name.to_owned(),
        Component {
            version: package.manifest.connector.version.clone(),
            enabled: old.is_none_or(|c| c.enabled),
            installed: old.map_or_else(|| host.now(), |c| c.installed),
            origin: Origin::Package {
                contract: package.manifest.connector.contract,
                key: package.key.clone(),
                sha256: package.sha256.clone(),
            },
            listeners,
        },
    );
    let component = after.components.get(name).cloned();
    let (Some(component), Some(release)) = (component, after.release().cloned()) else {
        return Err(SetupError::invalid(verb, "the registry does not say which release runs"));
    };
    let installation = after.installation.clone();
    let facts = Facts::for_package(&host.layout, &installation, &release);
    let pair = (package.manifest.clone(), package.files.clone());
    let declared = manifest::of(name, &component, Some(&pair), &facts)?;
    after.own(name, declared.resources);
    declare_built_in(host, &mut after)?;
    let mut plan = towards(host, survey, &after, declared.objects, (&verb, package.promised))?;
    settle_object(survey, (name, &package.manifest), options, &verb, &mut plan)?;
    await_ready(survey, &after, name, &mut plan);
    Ok(plan)
}

/// Plans a connector of a kind that every release has. One that is there is put
/// right, and gets the settings that are said; what was set before stays.
pub fn plan_add(
    host: &Host,
    survey: &Survey,
    (kind, name): (&str, &str),
    options: &ConnectorOptions,
) -> Result<Plan> {
    let before = survey.installed(host)?;
    let verb = format!("connector add {name}");
    let Some(manifest) = manifest::kind(kind) else {
        let known: Vec<&str> = manifest::kinds().collect();
        let cause = format!(
            "this release has no connector '{kind}'; it has {}; others come from packages \
             ('concord connector install FILE.ccp')",
            known.join(", ")
        );
        return Err(SetupError::invalid(verb, cause));
    };
    let origin = Origin::BuiltIn { connector: kind.to_owned() };
    if before.components.get(name).is_some_and(|there| there.origin != origin) {
        let cause = format!("there is a component '{name}' of another kind; choose another --name");
        return Err(SetupError::invalid(verb, cause));
    }
    let mut after = before.clone();
    let old = before.components.get(name);
    let listeners = listeners(&verb, &manifest, old, options)?;
    after.components.insert(
        name.to_owned(),
        Component {
            version: before.current.clone(),
            enabled: old.is_none_or(|c| c.enabled),
            installed: old.map_or_else(|| host.now(), |c| c.installed),
            origin,
            listeners,
        },
    );
    declare_built_in(host, &mut after)?;
    let mut plan = towards(host, survey, &after, BTreeMap::new(), (&verb, false))?;
    settle_object(survey, (name, &manifest), options, &verb, &mut plan)?;
    await_ready(survey, &after, name, &mut plan);
    Ok(plan)
}

/// The service is to be up when the run is over.
fn await_ready(survey: &Survey, after: &concord_registry::Registry, name: &str, plan: &mut Plan) {
    let enabled = after.components.get(name).is_some_and(|component| component.enabled);
    if survey.services.is_some() && enabled && !plan.is_empty() {
        let services = vec![name.to_owned()];
        plan.step(Step::tell(
            crate::step::Control::AwaitReady { services },
            crate::step::When::Doing,
        ));
    }
}

/// Adds to a plan that a key is trusted from now on, in the file that minisign
/// writes of it. With the rest or not at all: a run that is undone leaves no
/// trust behind.
pub fn trust(host: &Host, id: &str, content: &str, plan: &mut Plan) {
    let directory = host.layout.trusted_keys();
    let path = directory.join(format!("{id}.pub"));
    if std::fs::read_to_string(&path).is_ok_and(|there| there == content) {
        return;
    }
    plan.change("trust", format!("key {id}"), "it was given with --trust");
    let above = directory.parent().unwrap_or(&directory).to_owned();
    plan.step(Step::make_directory(above, 0o755, None));
    plan.step(Step::make_directory(directory, 0o755, None));
    plan.step(Step::WriteFile { path, mode: 0o644, owner: None, content: content.to_owned() });
}

fn towards(
    host: &Host,
    survey: &Survey,
    after: &concord_registry::Registry,
    more: BTreeMap<String, ObjectState>,
    (verb, promised): (&str, bool),
) -> Result<Plan> {
    let mut objects = survey::objects(host, after);
    objects.extend(more);
    let mut sight = survey.sight(host, after, &objects);
    sight.promised = promised;
    let mut plan = Plan::new(verb);
    let disposal = crate::resource::Disposal::default();
    let goal =
        crate::converge::Goal { before: survey.known(), after: Some(after), disposal: &disposal };
    crate::converge::converge(&goal, &sight, &mut plan)?;
    Ok(plan)
}

fn check(verb: &str, survey: &Survey, package: &StagedPackage) -> Result<()> {
    let connector = &package.manifest.connector;
    if connector.contract > CONTRACT {
        let cause = format!(
            "it needs version {} of the connector contract, this release keeps {CONTRACT}; \
             update Concord first (CC-0304)",
            connector.contract
        );
        return Err(SetupError::invalid(verb, cause));
    }
    let Some(registry) = survey.known() else { return Ok(()) };
    if registry.components.get(&package.name).is_some_and(|c| c.origin.is_of_release()) {
        let cause = format!("'{}' is a part of Concord itself", package.name);
        return Err(SetupError::invalid(verb, cause));
    }
    Ok(())
}

fn listeners(
    verb: &str,
    manifest: &ConnectorManifest,
    old: Option<&Component>,
    options: &ConnectorOptions,
) -> Result<BTreeMap<String, String>> {
    for name in options.listeners.keys() {
        if !manifest.listeners.iter().any(|l| l.name == *name) {
            let cause = format!("{} has no listener '{name}'", manifest.connector.name);
            return Err(SetupError::invalid(verb, cause));
        }
    }
    let mut chosen = BTreeMap::new();
    for listener in &manifest.listeners {
        let said = options.listeners.get(&listener.name);
        let address = said
            .or_else(|| old.and_then(|c| c.listeners.get(&listener.name)))
            .or(listener.default.as_ref());
        let Some(address) = address.filter(|a| !a.is_empty()) else { continue };
        if address.parse::<SocketAddr>().is_err() {
            let cause = format!("'{address}' for listener '{}' is not address:port", listener.name);
            return Err(SetupError::invalid(verb, cause));
        }
        chosen.insert(listener.name.clone(), address.clone());
    }
    Ok(chosen)
}

/// Settings of the administrator over what is there over the defaults, checked
/// against the manifest before anything is stored.
fn settle_object(
    survey: &Survey,
    (name, manifest): (&str, &ConnectorManifest),
    options: &ConnectorOptions,
    verb: &str,
    plan: &mut Plan,
) -> Result<()> {
    let key = crate::verb::component::connector_key(name);
    let there = survey.directory.as_ref().and_then(|d| d.object(&key));
    let planned = plan.steps.iter_mut().find_map(|step| match step {
        Step::PutObject { object } if object.key() == key => Some(object),
        _ => None,
    });
    let mut wanted = match (&there, &planned) {
        (Some(ObjectState::Connector(object)), _) => object.clone(),
        (None, Some(planned)) => match planned.as_ref() {
            ObjectState::Connector(object) => object.clone(),
            ObjectState::Generator(_) => return Ok(()),
        },
        _ => return Ok(()),
    };
    let before = wanted.clone();
    let mut settings = manifest.defaults();
    settings.extend(std::mem::take(&mut wanted.settings));
    settings.extend(options.settings.clone());
    // A setting that this version does not know any more goes with the old one.
    settings.retain(|name, _| {
        options.settings.contains_key(name) || manifest.settings.iter().any(|s| s.name == *name)
    });
    let mistakes = manifest.check_settings(&settings);
    if !mistakes.is_empty() {
        let cause = format!(
            "its settings do not fit (CC-0902), give them with --setting NAME=VALUE:\n  {}",
            mistakes.join("\n  ")
        );
        return Err(SetupError::invalid(verb, cause));
    }
    wanted.settings = settings;
    if let Some(planned) = planned {
        **planned = ObjectState::Connector(wanted);
    } else if wanted != before {
        plan.change("change", format!("connector object {name}"), "its settings change");
        plan.step(Step::PutObject { object: Box::new(ObjectState::Connector(wanted)) });
    }
    Ok(())
}

/// Plans the removal of a connector.
pub fn plan_remove(host: &Host, survey: &Survey, name: &str) -> Result<Plan> {
    let before = survey.installed(host)?;
    let verb = format!("connector remove {name}");
    match before.components.get(name).map(|c| &c.origin) {
        Some(Origin::Package { .. } | Origin::BuiltIn { .. }) => {}
        Some(Origin::Release) => {
            let cause = format!("'{name}' is a part of Concord; use 'concord setup remove {name}'");
            return Err(SetupError::invalid(verb, cause));
        }
        None => {
            let mut plan = Plan::new(verb);
            plan.notes.push(format!("connector '{name}' is not installed"));
            return Ok(plan);
        }
    }
    let mut after = before.clone();
    after.disown(name);
    plan_towards(host, survey, &after, verb)
}
