//! `doctor --fix`: one plan from many findings.

use super::{Finding, Mend};
use crate::converge::{Goal, converge};
use crate::doctor::check::free;
use crate::error::Result;
use crate::host::Host;
use crate::plan::Plan;
use crate::resource::{self, Disposal, Seen};
use crate::step::Step;
use crate::survey::{self, Survey};
use crate::verb::component::declare_built_in;
use crate::verb::install::built_in;
use concord_registry::{Class, Registry, Resource};

/// Plans what mends the findings: those that lose nothing, and those whose
/// codes were asked for.
pub fn plan_fix(
    host: &Host,
    survey: &Survey,
    findings: &[Finding],
    asked_for: &[String],
) -> Result<Plan> {
    let mut plan = Plan::new("doctor --fix");
    let wanted = |finding: &&Finding| {
        let asked = asked_for.iter().any(|code| code.eq_ignore_ascii_case(finding.code.code));
        finding.mend.is_possible() && (finding.mend.is_safe() || asked)
    };
    let chosen: Vec<&Finding> = findings.iter().filter(wanted).collect();
    for finding in &chosen {
        if let Mend::Steps { what, steps, .. } = &finding.mend {
            plan.change("mend", format!("{} {}", finding.code.code, finding.place), what.clone());
            for step in steps {
                plan.step(step.clone());
            }
        }
    }
    if let Some(before) = survey.known() {
        let after = after(host, survey, before, &chosen)?;
        let repairs = chosen.iter().any(|finding| matches!(finding.mend, Mend::Repair(_)));
        for finding in &chosen {
            keep_a_copy(host, before, finding, &mut plan);
        }
        if repairs || after != *before {
            converge_to(host, survey, before, &after, &mut plan)?;
        }
    }
    for finding in &chosen {
        if let Mend::Steps { after, .. } = &finding.mend {
            for step in after {
                plan.after(step.clone());
            }
        }
        if let (Mend::Learn { .. }, "CC-0502") = (&finding.mend, finding.code.code) {
            plan.after(Step::Renumber);
        }
    }
    Ok(plan)
}

/// What somebody changed by hand is kept before it is written over.
fn keep_a_copy(host: &Host, before: &Registry, finding: &Finding, plan: &mut Plan) {
    if !["CC-0105", "CC-0107", "CC-0204", "CC-0301"].contains(&finding.code.code) {
        return;
    }
    let owned = before.resources.iter().find(|o| o.resource.what() == finding.place);
    let path = match owned.map(|o| &o.resource) {
        Some(Resource::Service { name, .. }) => host.layout.record(name),
        Some(Resource::Unit { name, directory, .. }) => directory.join(name),
        Some(Resource::File { path, .. }) => host.layout.resolve(path),
        _ => return,
    };
    if path.is_file() {
        let name = crate::resource::directory::name_of(&path);
        let to = free(host.layout.quarantine().join("changed").join(name));
        plan.change("keep", path.display().to_string(), format!("as {}", to.display()));
        plan.step(Step::Copy { from: path, to });
    }
}

/// The registry with components added, forgotten, and facts learned.
fn after(host: &Host, survey: &Survey, before: &Registry, chosen: &[&Finding]) -> Result<Registry> {
    let mut after = before.clone();
    for finding in chosen {
        match &finding.mend {
            Mend::Add(name) => {
                let component = built_in(&after.current, host.now());
                after.components.entry(name.clone()).or_insert(component);
            }
            Mend::Forget(name) => {
                after.disown(name);
            }
            Mend::Learn { .. } => learn(survey, &mut after, finding),
            _ => {}
        }
    }
    if chosen.iter().any(|finding| matches!(finding.mend, Mend::Add(_))) {
        declare_built_in(host, &mut after)?;
    }
    Ok(after)
}

fn learn(survey: &Survey, registry: &mut Registry, finding: &Finding) {
    let directory = survey.directory.as_ref();
    match (finding.code.code, finding.place.as_str()) {
        ("CC-0502", _) => registry.identity.lineage = directory.and_then(|d| d.lineage),
        (_, "organisation") => {
            registry.identity.organisation = directory.and_then(|d| d.organisation.clone());
        }
        _ => {
            if let Ok(settings) = &survey.settings {
                registry.identity.hostname.clone_from(&settings.server.hostname);
            }
        }
    }
}

/// What cannot be made here (program files) is left to its own finding.
fn converge_to(
    host: &Host,
    survey: &Survey,
    before: &Registry,
    after: &Registry,
    plan: &mut Plan,
) -> Result<()> {
    let objects = survey::objects(host, after);
    let sight = survey.sight(host, after, &objects);
    let restorable = |registry: &Registry| {
        let mut registry = registry.clone();
        registry.resources.retain(|owned| match &owned.resource {
            // Program files and the store cannot be made up here.
            Resource::Tree { .. } => {
                matches!(resource::observe(&owned.resource, &sight), Ok(Seen::Same))
            }
            Resource::Directory { path, class: Class::Data, .. } => {
                host.layout.resolve(path).is_dir()
            }
            Resource::Connector { .. } | Resource::Generator { .. } => survey.directory.is_some(),
            Resource::Schema { .. } => false,
            _ => true,
        });
        registry
    };
    let disposal = Disposal { quarantine: Some(host.layout.quarantine()), ..Disposal::default() };
    let (partly_before, partly_after) = (restorable(before), restorable(after));
    let mut inner = Plan::new(plan.verb.clone());
    let goal =
        Goal { before: Some(&partly_before), after: Some(&partly_after), disposal: &disposal };
    converge(&goal, &sight, &mut inner)?;
    plan.changes.extend(inner.changes);
    for (number, step) in inner.steps.into_iter().enumerate() {
        let step = match step {
            Step::StoreRegistry { verb, .. } => {
                Step::StoreRegistry { registry: Some(Box::new(after.clone())), verb }
            }
            other => other,
        };
        if number < inner.commit_after { plan.step(step) } else { plan.after(step) }
    }
    Ok(())
}
