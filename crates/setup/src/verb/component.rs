//! `setup add` and `setup remove` of components, and enabling them.

use crate::converge::{Goal, converge};
use crate::error::{Result, SetupError};
use crate::host::{Host, ObjectKey};
use crate::manifest::{self, BUILT_IN, CORE, Facts};
use crate::plan::Plan;
use crate::resource::Disposal;
use crate::survey::{self, Survey};
use crate::verb::install::built_in;
use concord_registry::{Origin, Registry, Resource, Seed, TreeFile};

/// Plans the adding of a built-in component. One that is there already is put
/// right: "already installed" means adopt.
pub fn plan_add(host: &Host, survey: &Survey, name: &str) -> Result<Plan> {
    let before = survey.installed(host)?;
    if !BUILT_IN.contains(&name) {
        let cause = format!(
            "this release has no component '{name}'; it has {}; connectors come from packages \
             ('concord connector install FILE.ccp')",
            BUILT_IN.join(", ")
        );
        return Err(SetupError::invalid("setup add", cause));
    }
    let mut after = before.clone();
    if !after.components.contains_key(name) {
        after.components.insert(name.to_owned(), built_in(&before.current, host.now()));
    }
    declare_built_in(host, &mut after)?;
    plan_towards(host, survey, &after, format!("setup add {name}"))
}

/// Plans the removal of a component. Data stays.
pub fn plan_remove(host: &Host, survey: &Survey, name: &str) -> Result<Plan> {
    let before = survey.installed(host)?;
    let verb = format!("setup remove {name}");
    if name == CORE {
        let cause = "the core is what all others need; 'concord setup remove --all' removes \
                     everything";
        return Err(SetupError::invalid(verb, cause));
    }
    if !before.components.contains_key(name) {
        let there: Vec<&str> = before.components.keys().map(String::as_str).collect();
        let mut plan = Plan::new(verb);
        plan.notes.push(format!("'{name}' is not installed; there is {}", there.join(", ")));
        return Ok(plan);
    }
    let mut after = before.clone();
    after.disown(name);
    plan_towards(host, survey, &after, verb)
}

/// Plans that a component's services run, or do not. A disabled one stays so
/// through updates and repairs (Q190442).
pub fn plan_enable(host: &Host, survey: &Survey, name: &str, enabled: bool) -> Result<Plan> {
    let before = survey.installed(host)?;
    let verb = format!("setup {} {name}", if enabled { "enable" } else { "disable" });
    let mut after = before.clone();
    let Some(component) = after.components.get_mut(name) else {
        return Err(SetupError::invalid(verb, format!("'{name}' is not installed")));
    };
    component.enabled = enabled;
    declare_again(host, &mut after)?;
    plan_towards(host, survey, &after, verb)
}

/// Declares built-in components from the registry's own facts.
pub(crate) fn declare_built_in(host: &Host, registry: &mut Registry) -> Result<()> {
    let release = registry.release().cloned().ok_or_else(|| {
        SetupError::invalid("read the registry", "it does not say which release runs")
    })?;
    let files = release_files(registry, &registry.current);
    let previous = previous_tree(registry);
    let settings = seed_of_settings(registry);
    let installation = registry.installation.clone();
    let facts = Facts {
        layout: &host.layout,
        installation: &installation,
        release: &release,
        files: &files,
        settings: &settings,
        previous: previous.as_ref(),
    };
    for name in BUILT_IN {
        if let Some(component) = registry.components.get(name).cloned() {
            let manifest = manifest::of(name, &component, None, &facts)?;
            registry.own(name, manifest.resources);
        }
    }
    for (name, component) in registry.components.clone() {
        if matches!(component.origin, Origin::BuiltIn { .. }) {
            let manifest = manifest::of(&name, &component, None, &facts)?;
            registry.own(&name, manifest.resources);
        }
    }
    Ok(())
}

/// Every part of a release has its version.
pub(crate) fn move_parts(registry: &mut Registry, version: &str) {
    let parts = registry.components.values_mut().filter(|c| c.origin.is_of_release());
    parts.for_each(|component| version.clone_into(&mut component.version));
}

/// Declares every component again; external ones whose package is there.
pub(crate) fn declare_again(host: &Host, registry: &mut Registry) -> Result<()> {
    declare_built_in(host, registry)?;
    let release = registry.release().cloned();
    let Some(release) = release else { return Ok(()) };
    let installation = registry.installation.clone();
    let packages = survey::packages(host, registry);
    for (name, package) in &packages {
        let Some(component) = registry.components.get(name).cloned() else { continue };
        let facts = Facts::for_package(&host.layout, &installation, &release);
        let manifest = manifest::of(name, &component, Some(package), &facts)?;
        registry.own(name, manifest.resources);
    }
    Ok(())
}

/// The program files of the release to go back to, if they are kept.
fn previous_tree(registry: &Registry) -> Option<Resource> {
    let version = registry.previous.as_ref()?;
    let files = release_files(registry, version);
    let path = std::path::Path::new(crate::layout::RELEASES).join(version);
    (!files.is_empty()).then_some(Resource::Tree { path, files })
}

/// The files of a release, as the registry has them.
pub(crate) fn release_files(registry: &Registry, version: &str) -> Vec<TreeFile> {
    let path = std::path::Path::new(crate::layout::RELEASES).join(version);
    let found = registry.resources.iter().find_map(|owned| match &owned.resource {
        Resource::Tree { path: there, files } if *there == path => Some(files.clone()),
        _ => None,
    });
    found.unwrap_or_default()
}

/// The seed of the settings file, as the registry has it.
pub(crate) fn seed_of_settings(registry: &Registry) -> String {
    let found = registry.resources.iter().find_map(|owned| match &owned.resource {
        Resource::File { path, seed: Seed::Once(text), .. }
            if *path == std::path::Path::new("etc/concord.toml") =>
        {
            Some(text.clone())
        }
        _ => None,
    });
    found.unwrap_or_default()
}

/// A plan from what is registered to `after`.
pub(crate) fn plan_towards(
    host: &Host,
    survey: &Survey,
    after: &Registry,
    verb: impl Into<String>,
) -> Result<Plan> {
    let objects = survey::objects(host, after);
    let sight = survey.sight(host, after, &objects);
    let mut plan = Plan::new(verb);
    let disposal = Disposal { quarantine: Some(host.layout.quarantine()), ..Disposal::default() };
    let before = survey.known();
    converge(&Goal { before, after: Some(after), disposal: &disposal }, &sight, &mut plan)?;
    Ok(plan)
}

/// The directory object of a connector, by component.
pub(crate) fn connector_key(name: &str) -> ObjectKey {
    ObjectKey::Connector(name.to_owned())
}
