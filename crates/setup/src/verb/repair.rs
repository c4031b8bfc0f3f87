//! `setup plan` and `setup repair`: what differs from what is declared.

use super::component::plan_towards;
use super::{ReleaseFacts, component, install};
use crate::error::{Result, SetupError};
use crate::host::{DirectoryState, Host};
use crate::plan::Plan;
use crate::survey::Survey;
use concord_registry::{Place, Registry, Release};
use std::path::Path;

/// Plans to make the machine as the registry declares it.
pub fn plan(host: &Host, survey: &Survey) -> Result<Plan> {
    let mut after = survey.installed(host)?.clone();
    refuse_without_store(host, &after)?;
    let plan = plan_towards(host, survey, &after, "setup repair")?;
    if plan.is_empty() {
        return Ok(plan);
    }
    // Noted along the way; by itself it is no reason to do anything.
    learn_identity(survey.directory.as_ref(), &mut after);
    plan_towards(host, survey, &after, "setup repair")
}

/// Plans that a program which somebody else keeps (a package of the operating
/// system, a build) is what runs: its version and its schema are taken over.
pub fn plan_adopt(
    host: &Host,
    survey: &Survey,
    release: &ReleaseFacts,
    program: &Path,
) -> Result<Plan> {
    let before = survey.installed(host)?;
    let mut after = before.clone();
    learn_identity(survey.directory.as_ref(), &mut after);
    refuse_without_store(host, &after)?;
    after.previous = None;
    after.current.clone_from(&release.version);
    after.releases = vec![Release {
        version: release.version.clone(),
        platform: release.platform.clone(),
        schemas: release.schemas,
        installed: before
            .release()
            .filter(|r| r.version == release.version)
            .map_or_else(|| host.now(), |r| r.installed),
        place: Place::InPlace { program: program.to_owned() },
    }];
    for name in crate::manifest::BUILT_IN {
        if let Some(there) = after.components.get_mut(name) {
            let enabled = there.enabled;
            let installed = there.installed;
            *there = install::built_in(&release.version, installed);
            there.enabled = enabled;
        }
    }
    component::declare_built_in(host, &mut after)?;
    let objects = crate::survey::objects(host, &after);
    let mut sight = survey.sight(host, &after, &objects);
    let root = host.layout.root().path().display().to_string();
    let arguments = ["--root", root.as_str(), "setup", "migrate"].map(str::to_owned).to_vec();
    sight.migrate = Some((program.to_owned(), arguments));
    let mut plan = Plan::new("setup repair");
    let disposal = crate::resource::Disposal::default();
    let goal =
        crate::converge::Goal { before: survey.known(), after: Some(&after), disposal: &disposal };
    crate::converge::converge(&goal, &sight, &mut plan)?;
    Ok(plan)
}

/// An empty data directory in the place of one that is gone (a volume that is
/// not mounted) would begin a new store, and mail would be split over two.
fn refuse_without_store(host: &Host, registry: &Registry) -> Result<()> {
    let data = host.layout.root().data();
    if registry.identity.lineage.is_none() || data.is_dir() {
        return Ok(());
    }
    let cause = format!(
        "{} is gone (CC-0202), and this server had a store: mount its volume, or 'concord \
         recover' a backup",
        data.display()
    );
    Err(SetupError::invalid("setup repair", cause))
}

/// What could not be known at the installation, because there was no store yet.
pub(crate) fn learn_identity(directory: Option<&DirectoryState>, registry: &mut Registry) {
    let Some(directory) = directory else { return };
    let identity = &mut registry.identity;
    if identity.lineage.is_none() {
        identity.lineage = directory.lineage;
    }
    if identity.organisation.is_none() {
        identity.organisation.clone_from(&directory.organisation);
    }
}
