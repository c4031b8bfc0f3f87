//! `setup plan` and `setup repair`: what differs from what is declared.

use super::component::plan_towards;
use super::{ReleaseFacts, component};
use crate::error::{Result, SetupError};
use crate::host::{DirectoryState, Host};
use crate::manifest::UNIT_NAME;
use crate::plan::Plan;
use crate::step::{Control, Step};
use crate::survey::Survey;
use concord_registry::{Manager, Place, Registry, Release};
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

/// Plans a repair by this program. If somebody else keeps the program that is
/// installed (a package of the operating system) and has put this one in its
/// place, it is taken over with the index; a server that systemd runs is stopped
/// meanwhile and starts again by the new program.
pub fn plan_by(
    host: &Host,
    survey: &Survey,
    release: &ReleaseFacts,
    program: &Path,
) -> Result<Plan> {
    let registry = survey.installed(host)?;
    if !is_replaced(registry, release, program) {
        return plan(host, survey);
    }
    let adoption = plan_adopt(host, survey, release, program)?;
    let managed = registry.installation.manager == Manager::Systemd && host.system.has_systemd();
    let runs = managed && host.system.unit(UNIT_NAME)?.active;
    if survey.services.is_some() && !runs {
        let cause = "the server runs by the program that was here before: end it with 'concord \
                     down'; 'concord up' takes over the new one";
        return Err(SetupError::invalid("setup repair", cause));
    }
    if !runs {
        return Ok(adoption);
    }
    let mut plan = Plan::new(adoption.verb);
    plan.notes = adoption.notes;
    plan.changes = adoption.changes;
    plan.change("restart", UNIT_NAME, "its program is another one now");
    let state =
        |active| Step::SetUnit { name: UNIT_NAME.to_owned(), enabled: true, active: Some(active) };
    plan.step(state(false));
    let commit_after = adoption.commit_after;
    let (before, behind): (Vec<_>, Vec<_>) =
        adoption.steps.into_iter().enumerate().partition(|(number, _)| *number < commit_after);
    for (_, step) in before {
        // The controller reads the records when it starts.
        if !matches!(step, Step::Tell { control: Control::Reload, .. }) {
            plan.step(step);
        }
    }
    // Behind the commit: the program of before is gone, and its index with it is
    // of no use to the one that starts.
    plan.after(state(true));
    behind.into_iter().for_each(|(_, step)| plan.after(step));
    Ok(plan)
}

/// Whether this is another program than the registered one, which is not ours to
/// keep. A package's program has its place: one elsewhere is a guest.
fn is_replaced(registry: &Registry, release: &ReleaseFacts, program: &Path) -> bool {
    let Some(there) = registry.release() else { return false };
    let Place::InPlace { program: registered } = &there.place else { return false };
    if registered != program {
        return registry.installation.package.is_none();
    }
    there.version != release.version || there.schemas != release.schemas
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
    component::move_parts(&mut after, &release.version);
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
