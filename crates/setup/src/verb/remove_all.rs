//! `setup remove --all`: nothing of Concord is left but what was asked to be kept.
//!
//! Works without a registry, with a damaged one, with a core that does not
//! start: it goes by what is there (Q242762, Q178975, Q259158).

use crate::converge::{Goal, converge};
use crate::error::Result;
use crate::host::Host;
use crate::layout::{CONNECTORS, CURRENT, RELEASES, SERVICES};
use crate::manifest::UNIT_NAME;
use crate::plan::Plan;
use crate::resource::{Disposal, Sight};
use crate::step::{Control, Step, When};
use crate::survey::{self, Survey};
use concord_registry::{Class, Installation, Manager, Registry};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What becomes of what is worth keeping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// Data, keys, configuration and logs are moved beside the root.
    Quarantine,
    /// These classes stay where they are; the rest goes for good.
    InPlace(BTreeSet<Class>),
    /// Everything goes for good.
    Nothing,
}

/// Everything below a root that Setup knows, with its class.
const KNOWN: [(&str, Class); 9] = [
    ("etc", Class::Config),
    ("data/tls", Class::Keys),
    ("data", Class::Data),
    ("log", Class::Log),
    ("run", Class::Runtime),
    (SERVICES, Class::Program),
    (CONNECTORS, Class::Program),
    (CURRENT, Class::Program),
    (RELEASES, Class::Program),
];

/// Where what is kept goes: beside the root, with the time in its name.
pub fn quarantine(host: &Host) -> PathBuf {
    let root = host.layout.root().path();
    let name = root.file_name().unwrap_or_default().to_string_lossy();
    root.with_file_name(format!("{name}.removed-{}", stamp(host.now())))
}

/// `20261128T171500Z`
pub fn stamp(at: concord_base::Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|time| time.strftime("%Y%m%dT%H%M%SZ").to_string())
        .unwrap_or_else(|_| at.0.to_string())
}

/// Plans the removal of everything.
pub fn plan(host: &Host, survey: &Survey, keep: &Keep) -> Result<Plan> {
    let mut plan = Plan::new("setup remove --all");
    let root = host.layout.root().path().to_owned();
    let something = survey::entries(&root).iter().any(|p| p != &host.layout.setup())
        || host.layout.registry().exists();
    if !something {
        plan.notes.push(format!("there is nothing of Concord at {}", root.display()));
        return Ok(plan);
    }
    let known = survey.known();
    let disposal = disposal(host, keep);
    let fallback = fallback_installation();
    let installation = known.map_or(&fallback, |r| &r.installation);
    let objects = BTreeMap::new();
    let mut sight = Sight::new(host, installation, None, &objects);
    sight.hash = false;
    stop(survey, installation, &mut plan);
    if let Some(quarantine) = &disposal.quarantine {
        plan.step(Step::make_directory(quarantine, 0o700, None));
    }
    leave_to_root(host, installation, &disposal, &mut plan);
    remove_outside(known, &sight, &disposal, &mut plan)?;
    remove_inside(host, &disposal, &mut plan);
    finish(host, &disposal, &mut plan);
    Ok(plan)
}

fn disposal(host: &Host, keep: &Keep) -> Disposal {
    match keep {
        Keep::Quarantine => {
            Disposal { quarantine: Some(quarantine(host)), everything: true, ..Disposal::default() }
        }
        Keep::InPlace(classes) => {
            Disposal { keep: classes.clone(), everything: true, ..Disposal::default() }
        }
        Keep::Nothing => Disposal { everything: true, ..Disposal::default() },
    }
}

/// Without a registry: what the defaults of an installation would have made.
fn fallback_installation() -> Installation {
    Installation {
        manager: Manager::Systemd,
        user: None,
        command_link: None,
        unit_directory: None,
        package: None,
    }
}

fn stop(survey: &Survey, installation: &Installation, plan: &mut Plan) {
    if installation.manager == Manager::None && survey.services.is_some() {
        plan.change("stop", "controller and services", "nothing is to run");
        plan.step(Step::tell(Control::Stop, When::Doing));
    }
}

/// What stays where it is must not be of a user who goes: the next user that is
/// made on this machine may get the same number. An installation gives it back.
fn leave_to_root(host: &Host, installation: &Installation, disposal: &Disposal, plan: &mut Plan) {
    if installation.user.is_none() {
        return;
    }
    let keys = disposal.keep.contains(&Class::Keys);
    for (name, class) in KNOWN {
        let path = host.layout.root().path().join(name);
        let stays = disposal.keep.contains(&class) || (name == "data" && keys);
        if let (true, Some(access)) = (stays, crate::host::access_of(&path)) {
            let owner = Some("root".to_owned());
            plan.after(Step::SetAccess { path, mode: access.mode, owner, whole: true });
        }
    }
}

/// Units, links and users; without a registry, what is recognisably ours.
fn remove_outside(
    known: Option<&Registry>,
    sight: &Sight<'_>,
    disposal: &Disposal,
    plan: &mut Plan,
) -> Result<()> {
    if let Some(registry) = known {
        let mut outside = registry.clone();
        outside.resources.retain(|owned| is_outside(&owned.resource));
        return converge_outside(&outside, sight, disposal, plan);
    }
    let directory = Path::new("/etc/systemd/system");
    let root = sight.host.layout.root().path().display().to_string();
    let ours = std::fs::read_to_string(directory.join(UNIT_NAME))
        .is_ok_and(|text| text.contains(&format!("--root \"{root}\"")));
    if ours {
        let unit = concord_registry::Resource::Unit {
            name: UNIT_NAME.to_owned(),
            directory: directory.to_owned(),
            content: String::new(),
        };
        crate::resource::remove(&unit, sight, disposal, plan)?;
    }
    Ok(())
}

fn is_outside(resource: &concord_registry::Resource) -> bool {
    use concord_registry::Resource;
    match resource {
        Resource::Unit { .. } | Resource::User { .. } => true,
        other => other.path().is_some_and(Path::is_absolute),
    }
}

fn converge_outside(
    outside: &Registry,
    sight: &Sight<'_>,
    disposal: &Disposal,
    plan: &mut Plan,
) -> Result<()> {
    let mut inner = Plan::new(plan.verb.clone());
    converge(&Goal { before: Some(outside), after: None, disposal }, sight, &mut inner)?;
    // The registry goes at the very end, with everything.
    plan.changes.extend(inner.changes.into_iter().filter(|change| change.what != "registry"));
    for (number, step) in inner.steps.into_iter().enumerate() {
        match step {
            // The real registry goes at the very end.
            Step::StoreRegistry { .. } => {}
            step if number < inner.commit_after => plan.step(step),
            step => plan.after(step),
        }
    }
    Ok(())
}

/// What is below the root: kept, moved beside it, or gone for good.
fn remove_inside(host: &Host, disposal: &Disposal, plan: &mut Plan) {
    let root = host.layout.root().path();
    let mut purges = Vec::new();
    for (name, class) in KNOWN {
        let path = root.join(name);
        if std::fs::symlink_metadata(&path).is_err() {
            continue;
        }
        // What has the same fate as the directory around it goes with it.
        if name == "data/tls" && !disposal.keep.contains(&class) {
            continue;
        }
        if disposal.keep.contains(&class) {
            plan.change("keep", path.display().to_string(), "it was asked for");
            continue;
        }
        if name == "data" && disposal.keep.contains(&Class::Keys) && path.join("tls").exists() {
            for entry in survey::entries(&path).into_iter().filter(|p| p != &path.join("tls")) {
                plan.change("remove", entry.display().to_string(), "nothing needs it");
                purges.push(entry);
            }
            continue;
        }
        if let Some(quarantine) = disposal.goes_to_quarantine(class) {
            let to = quarantine.join(name);
            let why = format!("it is kept as {}", to.display());
            plan.change("move", path.display().to_string(), why);
            plan.step(Step::Move { from: path, to });
        } else {
            plan.change("remove", path.display().to_string(), "nothing needs it");
            purges.push(path);
        }
    }
    remove_strangers(host, disposal, plan, &mut purges);
    for path in purges {
        plan.after(Step::Purge { path });
    }
}

/// What is in the root and nobody knows: never deleted unless everything is.
fn remove_strangers(host: &Host, disposal: &Disposal, plan: &mut Plan, purges: &mut Vec<PathBuf>) {
    let root = host.layout.root().path();
    let known: BTreeSet<PathBuf> =
        KNOWN.iter().map(|(name, _)| root.join(name)).chain([host.layout.setup()]).collect();
    for entry in survey::entries(root).into_iter().filter(|p| !known.contains(p)) {
        let name = crate::resource::directory::name_of(&entry);
        match (&disposal.quarantine, disposal.keep.is_empty()) {
            (Some(quarantine), _) => {
                let to = quarantine.join("unknown").join(name);
                let why = format!("Setup does not know it; it is kept as {}", to.display());
                plan.change("move", entry.display().to_string(), why);
                plan.step(Step::Move { from: entry, to });
            }
            (None, true) => {
                plan.change("remove", entry.display().to_string(), "everything is to go");
                purges.push(entry);
            }
            (None, false) => {
                plan.notes.push(format!("{} stays: Setup does not know it", entry.display()));
            }
        }
    }
}

/// Setup's own directory goes last, its journal behind everything else in it.
fn finish(host: &Host, disposal: &Disposal, plan: &mut Plan) {
    let setup = host.layout.setup();
    if let Some(quarantine) = &disposal.quarantine {
        let kept = host.layout.quarantine();
        if kept.exists() {
            plan.step(Step::Move { from: kept, to: quarantine.join("quarantine") });
        }
        let copy = concord_registry::Database::new(host.layout.registry()).copy_path();
        if copy.exists() {
            plan.step(Step::Copy { from: copy, to: quarantine.join("registry.toml") });
        }
    }
    plan.change("remove", setup.display().to_string(), "nothing is installed any more");
    plan.after(Step::PurgeSetup);
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_base::Timestamp;

    #[test]
    fn stamps_are_dates() {
        assert_eq!(stamp(Timestamp::from_seconds(1_795_886_100)), "20261128T171500Z");
    }
}
