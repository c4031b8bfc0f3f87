//! The plan of a recovery.

use super::after::Sources;
use super::files::Places;
use super::{RecoverOptions, check, merge, settings, stage};
use crate::backup::{Backup, Part, Told};
use crate::converge::{Goal, converge};
use crate::error::{Result, SetupError};
use crate::host::{DirectoryState, Entry, Host};
use crate::layout::RELEASES;
use crate::manifest;
use crate::plan::Plan;
use crate::resource::{self, Disposal, Seen, Sight};
use crate::step::{Control, Step, When};
use crate::survey::{self, Survey};
use crate::verb::ReleaseFacts;
use concord_registry::{Registry, Resource};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Checks, stages what is needed, and plans. The caller holds the lock, and
/// removes what is staged when the plan is carried out or given up. Until then
/// nothing but the staging directory is changed.
///
/// # Errors
/// [`BackupError`](crate::backup::BackupError): the backup is damaged or of
/// somebody else, or what is here cannot be read.
pub fn prepare(
    host: &Host,
    survey: &Survey,
    backup: &Backup,
    release: &ReleaseFacts,
    options: &RecoverOptions,
    told: Told<'_>,
) -> Result<Plan> {
    let parts = check::parts(backup, options)?;
    check::forms(backup, release)?;
    let here = check::installed(survey)?;
    if here.is_none() && !parts.contains(&Part::Registry) {
        return Err(SetupError::NotInstalled(host.layout.root().path().to_owned()));
    }
    check::identity(backup, survey, here, &parts, options)?;
    check::directory_is_known(survey, &parts)?;
    if !options.dry_run {
        check::space(host, backup, &parts)?;
    }
    let was = backup.registry()?;
    let text = match parts.contains(&Part::Config) {
        true => settings::read(host, backup, options)?,
        false => None,
    };
    stage::stage(host, backup, &parts, options.dry_run, told)?;
    if let (Some(text), false) = (&text, options.dry_run) {
        stage::stage_settings(host, &text.text)?;
    }
    let planning = Planning { host, survey, backup, was, here, release, options, parts, text };
    planning.plan()
}

struct Planning<'a> {
    host: &'a Host,
    survey: &'a Survey,
    backup: &'a Backup,
    was: Registry,
    here: Option<&'a Registry>,
    release: &'a ReleaseFacts,
    options: &'a RecoverOptions,
    parts: BTreeSet<Part>,
    text: Option<settings::Recovered>,
}

/// Everything that is moved, merged or told besides what is declared.
#[derive(Default)]
struct Beside {
    plan: Plan,
    /// Objects to be merged.
    merged: Vec<Entry>,
}

impl Planning<'_> {
    fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    fn plan(&self) -> Result<Plan> {
        let mut plan = Plan::new("recover");
        let mut beside = Beside::default();
        let directory = self.directory(&mut beside)?;
        let sources = Sources {
            host: self.host,
            backup: self.backup,
            was: &self.was,
            here: self.here,
            release: self.release,
            options: self.options,
            parts: &self.parts,
            directory: directory.as_ref(),
            hostname: self.text.as_ref().map(|text| text.hostname.clone()),
        };
        let (after, new_objects) = sources.registry(&mut plan)?;
        let mut objects = survey::objects(self.host, &after);
        objects.extend(new_objects);
        let mut sight = Sight::new(self.host, &after.installation, directory.as_ref(), &objects);
        sight.promised = self.options.dry_run;
        sight.migrate = Some(self.migrate(&after));
        let declared = self.declared(&after, &sight, &mut plan)?;
        self.move_files(&after, &declared, &mut beside)?;
        merge::step(self.host, &beside.merged, self.options.dry_run, &mut beside.plan)?;
        self.assemble(declared, beside, &mut plan)?;
        self.tell(&mut plan);
        Ok(plan)
    }

    /// What the directory says afterwards.
    fn directory(&self, beside: &mut Beside) -> Result<Option<DirectoryState>> {
        if self.has(Part::Store) {
            return Ok(Some(self.host.system.store_at(&self.backup.store())?.directory));
        }
        let Some(here) = &self.survey.directory else { return Ok(None) };
        if !self.has(Part::Directory) {
            return Ok(Some(here.clone()));
        }
        let overwrite = self.options.overwrite;
        let (merged, after) =
            merge::plan(self.host, self.backup, here, overwrite, &mut beside.plan)?;
        beside.merged = merged;
        Ok(Some(after))
    }

    /// The program that brings an older index to this release's schema.
    fn migrate(&self, after: &Registry) -> (PathBuf, Vec<String>) {
        let program = after.release().map(manifest::program).unwrap_or_default();
        let root = self.host.layout.root().path().display().to_string();
        let arguments = ["--root", root.as_str(), "setup", "migrate"].map(str::to_owned).to_vec();
        (self.host.layout.resolve(&program), arguments)
    }

    /// What leads to what is declared, from what is declared now. Program files
    /// that are damaged and not at hand are left to their own finding.
    fn declared(&self, after: &Registry, sight: &Sight<'_>, plan: &mut Plan) -> Result<Plan> {
        let before = self.here.map(|r| self.restorable(r, sight, &mut Vec::new())).transpose()?;
        let partly = self.restorable(after, sight, &mut plan.notes)?;
        let disposal =
            Disposal { quarantine: Some(self.host.layout.quarantine()), ..Disposal::default() };
        let mut inner = Plan::new("recover");
        let goal = Goal { before: before.as_ref(), after: Some(&partly), disposal: &disposal };
        converge(&goal, sight, &mut inner)?;
        for step in &mut inner.steps {
            if let Step::StoreRegistry { registry, .. } = step {
                *registry = Some(Box::new(after.clone()));
            }
        }
        // What comes from the backup must not find a seed in its place.
        let root = self.host.layout.root();
        let policy = Path::new("etc/internet-mail.toml");
        if self.text.is_some() {
            without_seed(&mut inner, &root.config_file(), "file etc/concord.toml");
        }
        if self.has(Part::Config) && self.backup.files_in("etc").any(|f| f.path == policy) {
            without_seed(&mut inner, &root.mail_policy_file(), "file etc/internet-mail.toml");
        }
        Ok(inner)
    }

    /// The registry without trees of program files that differ and are not at hand.
    fn restorable(
        &self,
        registry: &Registry,
        sight: &Sight<'_>,
        notes: &mut Vec<String>,
    ) -> Result<Registry> {
        let mut restorable = registry.clone();
        let mut kept = Vec::new();
        for owned in restorable.resources {
            if let Resource::Tree { path, .. } = &owned.resource
                && !self.is_at_hand(path)
                && resource::observe(&owned.resource, sight)? != Seen::Same
            {
                notes.push(format!(
                    "program files in {} are damaged; they are not in the backup: 'concord setup \
                     repair --from FILE' puts them back",
                    self.host.layout.resolve(path).display()
                ));
                continue;
            }
            kept.push(owned);
        }
        restorable.resources = kept;
        Ok(restorable)
    }

    /// Whether a tree is staged, or would be if this were no dry run.
    fn is_at_hand(&self, path: &Path) -> bool {
        if !self.options.dry_run {
            return self.host.layout.staging().join(path).exists();
        }
        let in_backup = self.backup.manifest.files.iter().any(|file| file.path.starts_with(path));
        in_backup || (self.here.is_none() && path.starts_with(RELEASES))
    }

    fn move_files(&self, after: &Registry, declared: &Plan, beside: &mut Beside) -> Result<()> {
        let root = self.host.layout.root();
        let owner = after.installation.user.clone();
        let mut places = Places::new(self.host, self.backup, owner);
        for step in &declared.steps {
            if let Step::MakeDirectory { path, .. } = step {
                places.is_made(path.clone());
            }
        }
        if self.has(Part::Store) {
            places.store(&mut beside.plan);
        }
        if self.has(Part::Config) {
            let text = self.text.as_ref().map(|text| text.text.as_str());
            places.part(Part::Config, &root.etc(), text, &mut beside.plan)?;
        }
        if self.has(Part::Keys) {
            places.keys(&mut beside.plan)?;
        }
        Ok(())
    }

    /// One plan: services stop; directories and program files are made; files
    /// of the backup are moved in; then what needs them.
    fn assemble(&self, declared: Plan, beside: Beside, plan: &mut Plan) -> Result<()> {
        let controlled = self.survey.services.is_some();
        let store = self.has(Part::Store);
        let rests = controlled && (store || !beside.merged.is_empty());
        let told = declared.steps.iter().any(|step| matches!(step, Step::Tell { .. }));
        let settings = controlled && !told && self.text.is_some() && !beside.plan.is_empty();
        plan.changes.extend(declared.changes);
        plan.changes.extend(beside.plan.changes);
        plan.notes.extend(declared.notes);
        plan.notes.extend(beside.plan.notes);
        if rests {
            plan.step(Step::tell(Control::Pause, When::Both));
        }
        if settings {
            plan.step(Step::tell(Control::Reload, When::Undoing));
        }
        let mut steps = declared.steps.into_iter();
        let mut front: Vec<Step> = steps.by_ref().take(declared.commit_after).collect();
        let at = front.iter().position(|s| !makes_room(s)).unwrap_or(front.len());
        let needs_files = front.split_off(at);
        for step in front.into_iter().chain(beside.plan.steps).chain(needs_files) {
            plan.step(step);
        }
        if settings {
            plan.step(Step::tell(Control::Reload, When::Doing));
        }
        if store {
            plan.after(Step::Renumber);
        }
        if rests {
            plan.after(Step::tell(Control::Resume, When::Doing));
        }
        for step in steps {
            plan.after(step);
        }
        Ok(())
    }

    /// What the administrator should know.
    fn tell(&self, plan: &mut Plan) {
        if let Some(text) = &self.text {
            plan.notes.extend(text.changes.iter().map(|c| format!("etc/concord.toml: {c}")));
        }
        if !self.has(Part::Store) {
            return;
        }
        let manifest = &self.backup.manifest;
        let deliveries = manifest.counts.deliveries;
        if deliveries > 0 {
            plan.notes.push(format!(
                "{deliveries} deliveries wait in the backup's queue; those that were made since \
                 {} will be made a second time: look with 'concord queue list'",
                manifest.stamp
            ));
        }
        plan.notes.push("mail programs will read every folder anew".to_owned());
    }
}

/// Takes the step that would write a file out of a plan.
fn without_seed(plan: &mut Plan, seed: &Path, what: &str) {
    let is_seed = |step: &Step| matches!(step, Step::WriteFile { path, .. } if path == seed);
    if let Some(at) = plan.steps.iter().position(is_seed) {
        plan.steps.remove(at);
        plan.commit_after = plan.commit_after.saturating_sub(1);
        plan.changes.retain(|change| change.what != what);
    }
}

/// Steps that stand in front of the backup's files.
fn makes_room(step: &Step) -> bool {
    matches!(
        step,
        Step::Tell { .. }
            | Step::MakeUser { .. }
            | Step::MakeDirectory { .. }
            | Step::SetAccess { .. }
            | Step::Move { .. }
    )
}
