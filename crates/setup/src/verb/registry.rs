//! `registry import`, `edit` and `restore`: storing another state, and making
//! one anew from what the machine shows.

use super::ReleaseFacts;
use super::component::declare_built_in;
use super::install::built_in;
use super::repair::learn_identity;
use crate::error::{Result, SetupError};
use crate::hash;
use crate::host::Host;
use crate::manifest::{self, BUILT_IN, CORE, Facts, UNIT_NAME};
use crate::plan::Plan;
use crate::record::ServiceRecord;
use crate::step::Step;
use crate::survey::{Survey, entries, read_package};
use concord_registry::{
    Component, Identity, Installation, Manager, Origin, Place, Registry, RegistryError, Release,
    Resource, TreeFile,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Plans to store another state; the one before stays in the history.
pub fn plan_store(survey: &Survey, registry: &Registry, verb: &str) -> Result<Plan> {
    let mistakes = registry.check();
    if !mistakes.is_empty() {
        return Err(RegistryError::Mistakes(mistakes).into());
    }
    let mut plan = Plan::new(verb);
    if matches!(&survey.registry, Ok(Some(there)) if there == registry) {
        return Ok(plan);
    }
    for line in difference(survey.known(), registry) {
        plan.change("change", line, "");
    }
    plan.step(Step::StoreRegistry {
        registry: Some(Box::new(registry.clone())),
        verb: verb.to_owned(),
    });
    plan.notes.push("the machine stays as it is; 'concord setup plan' shows what differs".into());
    Ok(plan)
}

/// Lines of the exported form that differ, bounded.
fn difference(before: Option<&Registry>, after: &Registry) -> Vec<String> {
    /// More than a screen nobody reads.
    const MOST: usize = 40;
    if before.is_none() {
        return vec!["the registry is made anew".to_owned()];
    }
    let lines = |registry: &Registry| -> Vec<String> {
        registry.to_toml().unwrap_or_default().lines().map(str::to_owned).collect()
    };
    let old = before.map(lines).unwrap_or_default();
    let new = lines(after);
    let gone = old.iter().filter(|l| !new.contains(l)).map(|l| format!("- {l}"));
    let come = new.iter().filter(|l| !old.contains(l)).map(|l| format!("+ {l}"));
    let mut all: Vec<String> = gone.chain(come).collect();
    if all.is_empty() {
        all.push("the registry is stored anew".to_owned());
    }
    all.truncate(MOST);
    all
}

/// A registry as the machine shows it: from service records, the link to the
/// release, unpacked packages, the unit, and the settings.
pub fn from_machine(host: &Host, survey: &Survey, release: &ReleaseFacts) -> Result<Registry> {
    let records: Vec<&ServiceRecord> =
        survey.records.iter().filter_map(|found| found.record.as_ref().ok()).collect();
    if records.is_empty() && !host.layout.root().config_file().exists() {
        return Err(SetupError::NotInstalled(host.layout.root().path().to_owned()));
    }
    let (place, files) = place(host, &records, release)?;
    let now = host.now();
    let version = release.version.clone();
    let mut registry = Registry {
        schema: Registry::SCHEMA,
        identity: Identity {
            server: uuid::Uuid::now_v7(),
            lineage: None,
            organisation: None,
            hostname: survey
                .settings
                .as_ref()
                .map_or_else(|_| "localhost".to_owned(), |s| s.server.hostname.clone()),
            created: now,
        },
        installation: installation(host)?,
        current: version.clone(),
        previous: None,
        releases: vec![Release {
            version: version.clone(),
            platform: release.platform.clone(),
            schemas: release.schemas,
            installed: now,
            place,
        }],
        components: BTreeMap::new(),
        resources: Vec::new(),
    };
    for name in BUILT_IN {
        if name == CORE || records.iter().any(|record| record.component == name) {
            let mut component = built_in(&version, now);
            component.enabled =
                records.iter().find(|r| r.component == name).is_none_or(|r| r.enabled);
            registry.components.insert(name.to_owned(), component);
        }
    }
    let tree = Path::new(crate::layout::RELEASES).join(&version);
    if !files.is_empty() {
        registry.own(CORE, vec![Resource::Tree { path: tree, files }]);
    }
    for record in &records {
        let kind = record
            .arguments
            .get(1)
            .filter(|_| record.arguments.first().is_some_and(|word| word == "serve"));
        let Some(kind) = kind.filter(|kind| manifest::kind(kind).is_some()) else { continue };
        let mut component = built_in(&version, now);
        component.origin = Origin::BuiltIn { connector: kind.clone() };
        component.enabled = record.enabled;
        component.listeners = record.addresses.clone();
        registry.components.insert(record.component.clone(), component);
    }
    declare_built_in(host, &mut registry)?;
    take_packages(host, &records, &mut registry)?;
    learn_identity(survey.directory.as_ref(), &mut registry);
    Ok(registry)
}

fn place(
    host: &Host,
    records: &[&ServiceRecord],
    release: &ReleaseFacts,
) -> Result<(Place, Vec<TreeFile>)> {
    let staged = host.layout.release(&release.version);
    if staged.is_dir() {
        return Ok((Place::Staged, hash::tree(&staged)?));
    }
    let recorded = records.iter().find(|r| r.component == CORE).map(|r| r.program.clone());
    let program = match recorded.filter(|path| path.is_absolute() && path.exists()) {
        Some(program) => program,
        None => host.system.own_program()?,
    };
    Ok((Place::InPlace { program }, Vec::new()))
}

fn installation(host: &Host) -> Result<Installation> {
    let directory = PathBuf::from("/etc/systemd/system");
    let unit = std::fs::read_to_string(directory.join(UNIT_NAME)).unwrap_or_default();
    let ours = unit.contains(&format!("--root \"{}\"", host.layout.root().path().display()));
    let user = unit.lines().find_map(|line| line.strip_prefix("User=")).map(str::to_owned);
    let link = PathBuf::from("/usr/local/bin/concord");
    let linked =
        std::fs::read_link(&link).is_ok_and(|target| target.starts_with(host.layout.root().path()));
    Ok(Installation {
        manager: if ours { Manager::Systemd } else { Manager::None },
        user: user.filter(|name| ours && name != "root"),
        command_link: linked.then_some(link),
        unit_directory: ours.then_some(directory),
        package: None,
    })
}

/// Connectors whose record and package are both there.
fn take_packages(host: &Host, records: &[&ServiceRecord], registry: &mut Registry) -> Result<()> {
    for home in entries(&host.layout.connectors()) {
        let name = crate::resource::directory::name_of(&home);
        let Some(record) = records.iter().find(|r| r.component == name) else { continue };
        let Ok((package, files)) = read_package(&home.join(&record.version)) else { continue };
        let component = Component {
            version: record.version.clone(),
            enabled: record.enabled,
            installed: host.now(),
            origin: Origin::Package {
                contract: package.connector.contract,
                key: "unknown".to_owned(),
                sha256: "unknown".to_owned(),
            },
            listeners: record.addresses.clone(),
        };
        let Some(release) = registry.release().cloned() else { continue };
        let installation = registry.installation.clone();
        let facts = Facts::for_package(&host.layout, &installation, &release);
        let pair = (package, files);
        let declared = manifest::of(&name, &component, Some(&pair), &facts)?;
        registry.components.insert(name.clone(), component);
        registry.own(&name, declared.resources);
    }
    Ok(())
}
