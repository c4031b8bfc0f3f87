//! `update apply`: every part of a release, or none of it.
//!
//! The new release is staged beside the running one and tries itself on a copy
//! of the index. Then the services stop (their sockets stay open, so that new
//! connections wait), the index is migrated, the link is switched by one
//! rename, and the controller becomes the new program. While it is on trial
//! nothing is taken in and nothing sent ([`Layout::hold`](crate::Layout::hold)).
//! Until every service is ready, whatever fails leads back to the program and
//! the index as they were; the message log is never touched.

use super::component::move_parts;
use super::component::{declare_built_in, release_files};
use crate::converge::{Goal, converge};
use crate::error::{Result, SetupError};
use crate::host::Host;
use crate::layout::RELEASES;
use crate::manifest::CORE;
use crate::plan::Plan;
use crate::record::ServiceRecord;
use crate::resource::Disposal;
use crate::step::{Control, Step, When};
use crate::survey::{self, Survey};
use concord_base::ByteSize;
use concord_registry::{Origin, Place, Registry, Release, Resource, Schemas, TreeFile};
use std::path::PathBuf;

/// A release that was checked and unpacked into the staging directory.
#[derive(Debug, Clone)]
pub struct Offered {
    /// Its version.
    pub version: String,
    /// Its platform.
    pub platform: String,
    /// What it writes.
    pub schemas: Schemas,
    /// Components that it has.
    pub components: Vec<String>,
    /// Its files.
    pub files: Vec<TreeFile>,
    /// How its version compares with the one that runs.
    pub order: std::cmp::Ordering,
}

/// Beside the files of the release: room for two copies of the index.
const INDEX_COPIES: u64 = 2;

/// Everything that speaks against it, before anything is touched.
pub fn refusals(host: &Host, survey: &Survey, offered: &Offered) -> Result<Vec<String>> {
    let registry = survey.installed(host)?;
    let mut told = Vec::new();
    if let Some(package) = &registry.installation.package {
        told.push(format!("the program belongs to the package '{package}'; update that"));
    } else if registry.release().is_some_and(|r| r.place != Place::Staged) {
        told.push(
            "the program is run from where somebody else keeps it; replace it there, the next \
             start takes it over"
                .to_owned(),
        );
    }
    if offered.order == std::cmp::Ordering::Less {
        told.push(format!(
            "{} is older than {}, which is installed; 'concord rollback' goes back to the one \
             before",
            offered.version, registry.current
        ));
    }
    missing_parts(registry, offered, &mut told);
    if let Some(schema) = survey.directory.as_ref().and_then(|d| d.schema)
        && schema > offered.schemas.index
    {
        told.push(format!(
            "the index has schema {schema}, {} knows {} only (CC-0303)",
            offered.version, offered.schemas.index
        ));
    }
    space(host, offered, &mut told);
    Ok(told)
}

/// One update moves every part, or is refused (Q242250).
fn missing_parts(registry: &Registry, offered: &Offered, told: &mut Vec<String>) {
    for (name, component) in &registry.components {
        match &component.origin {
            Origin::BuiltIn { connector } if !offered.components.contains(connector) => {
                told.push(format!(
                    "it lacks the connector '{connector}', which is installed as '{name}' (CC-0301)"
                ));
            }
            Origin::Release if !offered.components.contains(name) => {
                told.push(format!("it lacks the component '{name}', which is installed (CC-0301)"));
            }
            Origin::Package { contract, .. } if *contract > offered.schemas.contract => {
                told.push(format!(
                    "connector '{name}' {} needs contract {contract}, the bundle keeps {} \
                     (CC-0304): the connector is newer than the bundle",
                    component.version, offered.schemas.contract
                ));
            }
            _ => {}
        }
    }
}

fn space(host: &Host, offered: &Offered, told: &mut Vec<String>) {
    let index =
        std::fs::metadata(host.layout.root().data().join("index.db")).map_or(0, |m| m.len());
    let files: u64 = offered.files.iter().map(|file| file.size).sum();
    let needed = files.saturating_add(index.saturating_mul(INDEX_COPIES));
    if let Some(free) = host.system.free_space(host.layout.root().path())
        && free < needed
    {
        told.push(format!("{} free, {} are needed (CC-0603)", ByteSize(free), ByteSize(needed)));
    }
}

/// Plans the update; empty if the release is installed already.
pub fn plan(host: &Host, survey: &Survey, offered: &Offered) -> Result<Plan> {
    let verb = "update apply";
    let before = survey.installed(host)?;
    if before.current == offered.version {
        let mut plan = Plan::new(verb);
        plan.notes.push(format!("{} is installed already", offered.version));
        return Ok(plan);
    }
    let refusals = refusals(host, survey, offered)?;
    if !refusals.is_empty() {
        return Err(SetupError::Refused { verb: verb.to_owned(), refusals });
    }
    let after = after(host, before, offered)?;
    let program = host.layout.release(&offered.version).join("concord");
    let old = host.layout.release(&before.current).join("concord");
    let mut plan = Plan::new(verb);
    plan.change(
        "update",
        format!("every part from {} to {}", before.current, offered.version),
        "the bundle is newer",
    );
    let there = host.layout.release(&offered.version);
    if there.exists() {
        // Left by a rollback; what was checked just now takes its place.
        let to = host.layout.trash().join("replaced").join(&offered.version);
        plan.step(Step::Move { from: there, to });
        plan.after(Step::Purge { path: host.layout.trash() });
    }
    let staged = host.layout.staging().join(RELEASES).join(&offered.version);
    plan.step(Step::Move { from: staged, to: host.layout.release(&offered.version) });
    rehearse(host, survey, before, &program, &mut plan);
    trial(host, before, &mut plan);
    plan.step(Step::tell(replace(host, old), When::Undoing));
    switch(host, survey, (before, &after), Some(&program), &mut plan)?;
    finish(host, survey, &program, &mut plan);
    for release in stale_releases(before).into_iter().filter(|v| *v != offered.version) {
        plan.after(Step::Purge { path: host.layout.release(&release) });
    }
    Ok(plan)
}

fn after(host: &Host, before: &Registry, offered: &Offered) -> Result<Registry> {
    let mut after = before.clone();
    let kept = release_files(before, &before.current);
    after.previous = Some(before.current.clone());
    after.current.clone_from(&offered.version);
    after.releases.retain(|release| release.version == before.current);
    after.releases.push(Release {
        version: offered.version.clone(),
        platform: offered.platform.clone(),
        schemas: offered.schemas,
        installed: host.now(),
        place: Place::Staged,
    });
    let tree = |version: &str, files: Vec<TreeFile>| Resource::Tree {
        path: PathBuf::from(RELEASES).join(version),
        files,
    };
    let trees = [(&before.current, kept), (&offered.version, offered.files.clone())];
    // Declared below from these; the rest of the core's resources follows.
    after.own(CORE, trees.map(|(version, files)| tree(version, files)).to_vec());
    move_parts(&mut after, &offered.version);
    declare_built_in(host, &mut after)?;
    Ok(after)
}

fn arguments(host: &Host, words: &[&str]) -> Vec<String> {
    let root = host.layout.root().path().display().to_string();
    ["--root", root.as_str()].iter().chain(words).map(|word| (*word).to_owned()).collect()
}

/// The new program proves itself on a copy of the index, while the old one runs.
fn rehearse(
    host: &Host,
    survey: &Survey,
    before: &Registry,
    program: &std::path::Path,
    plan: &mut Plan,
) {
    if survey.directory.is_none() {
        return;
    }
    let directory = host.layout.rehearsal();
    let copy = directory.join("index.db");
    plan.step(Step::make_directory(directory.clone(), 0o700, before.installation.user.clone()));
    plan.step(Step::SnapshotIndex { to: copy.clone() });
    let copy = copy.display().to_string();
    plan.step(Step::Run {
        why: "rehearse the migration on a copy of the index".to_owned(),
        program: program.to_owned(),
        arguments: arguments(host, &["setup", "rehearse", &copy]),
    });
}

/// Services stop, and what starts next is on trial.
pub(super) fn trial(host: &Host, before: &Registry, plan: &mut Plan) {
    plan.step(Step::WriteFile {
        path: host.layout.hold(),
        mode: 0o600,
        owner: before.installation.user.clone(),
        content: "a release is on trial\n".to_owned(),
    });
    plan.step(Step::tell(Control::Pause, When::Both));
}

pub(super) fn replace(host: &Host, program: PathBuf) -> Control {
    Control::Replace { program, arguments: arguments(host, &["up"]) }
}

/// Index, link, records and registry. `migrates` is the program that brings the
/// index to the schema of the release.
pub(super) fn switch(
    host: &Host,
    survey: &Survey,
    (before, after): (&Registry, &Registry),
    migrates: Option<&std::path::Path>,
    plan: &mut Plan,
) -> Result<()> {
    let objects = survey::objects(host, after);
    let mut sight = survey.sight(host, after, &objects);
    sight.migrate =
        migrates.map(|program| (program.to_owned(), arguments(host, &["setup", "migrate"])));
    sight.moved = Some(host.layout.release(&after.current));
    sight.lenient = true;
    let disposal = Disposal::default();
    let mut inner = Plan::new(plan.verb.clone());
    let goal = Goal { before: Some(before), after: Some(after), disposal: &disposal };
    converge(&goal, &sight, &mut inner)?;
    plan.notes.extend(inner.notes);
    plan.changes.extend(inner.changes);
    for (number, step) in inner.steps.into_iter().enumerate() {
        match step {
            // The successor reads the records at its start.
            Step::Tell { control: Control::Reload, .. } => {}
            // The index is the other release's now; its own repair sees to these.
            Step::PutObject { .. } | Step::RemoveObject { .. } | Step::Stamp => {}
            step if number < inner.commit_after => plan.step(step),
            step => plan.after(step),
        }
    }
    Ok(())
}

/// The controller becomes the other program; its services must be ready.
pub(super) fn finish(host: &Host, survey: &Survey, program: &std::path::Path, plan: &mut Plan) {
    plan.step(Step::tell(replace(host, program.to_owned()), When::Doing));
    plan.step(Step::tell(Control::Resume, When::Both));
    // Those that ran before must run behind it. A service that was down, or whose
    // program is gone, is no reason to go back (Q190442, Q196171).
    let ran = |record: &ServiceRecord| {
        survey.services.iter().flatten().any(|s| s.name == record.service && s.state == "ready")
            && record.program_path(&host.layout).exists()
    };
    let records = survey.records.iter().filter_map(|found| found.record.as_ref().ok());
    let services: Vec<String> =
        records.filter(|record| ran(record)).map(|record| record.service.clone()).collect();
    plan.step(Step::tell(Control::AwaitReady { services }, When::Doing));
    plan.after(Step::Purge { path: host.layout.hold() });
    plan.after(Step::Purge { path: host.layout.rehearsal() });
}

/// Releases that are neither the one that runs nor the one to go back to then.
fn stale_releases(before: &Registry) -> Vec<String> {
    before
        .releases
        .iter()
        .map(|release| release.version.clone())
        .filter(|version| *version != before.current)
        .collect()
}
