//! `setup install`: a new server.

use super::ReleaseFacts;
use crate::converge::{Goal, converge};
use crate::error::{Result, SetupError};
use crate::hash;
use crate::host::Host;
use crate::manifest::{self, BUILT_IN, CORE, Facts};
use crate::plan::Plan;
use crate::resource::Disposal;
use crate::step::Step;
use crate::survey::Survey;
use concord_registry::{
    Component, Identity, Installation, Origin, Place, Registry, Release, TreeFile,
};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What is to be installed, and how.
#[derive(Debug, Clone)]
pub struct InstallOptions {
    /// Components; `core` is always one of them.
    pub components: Vec<String>,
    /// The host name that services say.
    pub hostname: String,
    /// The organisation with its mail domain, to begin the directory with.
    pub organisation: Option<(String, String)>,
    /// How Concord is to sit on the machine.
    pub installation: Installation,
    /// Where the program is to run from.
    pub source: Source,
    /// The seed of the settings file.
    pub settings: String,
}

/// Where the program is to run from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// From where it is; somebody else keeps it.
    InPlace(PathBuf),
    /// From `releases/VERSION`, which is made from a staged copy.
    Staged,
}

/// Where a release is staged below Setup's staging directory.
pub fn staged(host: &Host, version: &str) -> PathBuf {
    host.layout.staging().join(crate::layout::RELEASES).join(version)
}

/// Copies the running program into the staging directory, as the release that
/// is to be installed. The caller holds the lock.
pub fn stage_own_program(host: &Host, version: &str) -> Result<Vec<TreeFile>> {
    let directory = staged(host, version);
    host.make_directories(&directory, 0o755)?;
    let program = directory.join("concord");
    host.copy_path(&host.system.own_program()?, &program)?;
    host.set_access(&program, 0o755, None)?;
    hash::tree(&directory)
}

/// Plans a new server.
///
/// # Errors
/// [`SetupError::AlreadyInstalled`]
pub fn plan(
    host: &Host,
    survey: &Survey,
    release: &ReleaseFacts,
    options: &InstallOptions,
    files: &[TreeFile],
) -> Result<Plan> {
    let verb = "setup install";
    match &survey.registry {
        Ok(None) => {}
        Ok(Some(_)) => {
            return Err(SetupError::AlreadyInstalled(host.layout.root().path().to_owned()));
        }
        Err(error) => return Err(error.clone().into()),
    }
    let (registry, objects) = declare(host, release, options, files)?;
    let mut sight = survey.sight(host, &registry, &objects);
    // A dry run has staged nothing.
    sight.promised = files.is_empty();
    let mut plan = Plan::new(verb);
    let disposal = Disposal::default();
    let goal = Goal { before: None, after: Some(&registry), disposal: &disposal };
    converge(&goal, &sight, &mut plan)?;
    if let Some((organisation, domain)) = &options.organisation {
        plan.change("make", format!("organisation {organisation}"), "it was asked for");
        plan.step(Step::Bootstrap {
            organisation: organisation.clone(),
            domain: domain.clone(),
            hostname: options.hostname.clone(),
        });
    }
    plan.after(Step::Learn);
    Ok(plan)
}

type Objects = BTreeMap<String, crate::host::ObjectState>;

fn declare(
    host: &Host,
    release: &ReleaseFacts,
    options: &InstallOptions,
    files: &[TreeFile],
) -> Result<(Registry, Objects)> {
    let now = host.now();
    let entry = Release {
        version: release.version.clone(),
        platform: release.platform.clone(),
        schemas: release.schemas,
        installed: now,
        place: match &options.source {
            Source::InPlace(program) => Place::InPlace { program: program.clone() },
            Source::Staged => Place::Staged,
        },
    };
    let mut registry = Registry {
        schema: Registry::SCHEMA,
        identity: Identity {
            server: uuid::Uuid::now_v7(),
            lineage: None,
            organisation: options.organisation.as_ref().map(|(name, _)| name.clone()),
            hostname: options.hostname.clone(),
            created: now,
        },
        installation: options.installation.clone(),
        current: release.version.clone(),
        previous: None,
        releases: vec![entry.clone()],
        components: BTreeMap::new(),
        resources: Vec::new(),
    };
    let mut names = vec![CORE.to_owned()];
    names.extend(options.components.iter().filter(|name| *name != CORE).cloned());
    for name in names {
        if !BUILT_IN.contains(&name.as_str()) {
            let cause =
                format!("this release has no component '{name}'; it has {}", BUILT_IN.join(", "));
            return Err(SetupError::invalid("setup install", cause));
        }
        registry.components.insert(name, built_in(&release.version, now));
    }
    let facts = Facts {
        layout: &host.layout,
        installation: &options.installation,
        release: &entry,
        files,
        settings: &options.settings,
        previous: None,
    };
    let objects = manifest::declare(&mut registry, &BTreeMap::new(), &facts)?;
    Ok((registry, objects))
}

/// A component that comes with every release.
pub(crate) fn built_in(version: &str, now: concord_base::Timestamp) -> Component {
    Component {
        version: version.to_owned(),
        enabled: true,
        installed: now,
        origin: Origin::Release,
        listeners: BTreeMap::new(),
    }
}
