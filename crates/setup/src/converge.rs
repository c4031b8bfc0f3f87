//! From two registries and the machine to a plan.
//!
//! Everything that is declared afterwards is observed, and made as it is
//! declared; what was declared before and is not any more is taken away. There
//! is no other way in which a verb of Setup changes what is installed.

use crate::error::Result;
use crate::plan::Plan;
use crate::resource::{self, Disposal, Seen, Sight};
use crate::step::{Control, Step, When};
use concord_registry::{Owned, Registry, Resource};
use std::collections::BTreeSet;

/// What a verb wants.
pub(crate) struct Goal<'a> {
    /// What is registered now.
    pub before: Option<&'a Registry>,
    /// What is to be registered; none is nothing at all.
    pub after: Option<&'a Registry>,
    /// What becomes of what is taken away.
    pub disposal: &'a Disposal,
}

/// Adds what leads to the goal, up to and with the storing of the registry.
pub(crate) fn converge(goal: &Goal<'_>, sight: &Sight<'_>, plan: &mut Plan) -> Result<()> {
    let controlled = goal.after.is_some() && sight.host.system.services()?.is_some();
    let mut inner = Plan::new(plan.verb.clone());
    make(goal, sight, &mut inner)?;
    take_away(goal, sight, &mut inner)?;
    let services = inner.steps.iter().any(|step| concerns_services(step, sight));
    if controlled && services {
        // Its undoing comes last of all, when the records are the old ones again.
        plan.step(Step::tell(Control::Reload, When::Undoing));
    }
    let Plan { changes, notes, steps, commit_after, .. } = inner;
    plan.changes.extend(changes);
    plan.notes.extend(notes);
    for (number, step) in steps.into_iter().enumerate() {
        if number < commit_after { plan.step(step) } else { plan.after(step) }
    }
    if goal.before != goal.after {
        plan.step(Step::StoreRegistry {
            registry: goal.after.cloned().map(Box::new),
            verb: plan.verb.clone(),
        });
        if goal.before.is_some() && plan.changes.is_empty() {
            plan.change("change", "registry", "it says something else");
        }
    }
    if controlled && services {
        plan.step(Step::tell(Control::Reload, When::Doing));
    }
    if plan.steps.iter().any(|step| leads_into_trash(step, sight)) {
        plan.after(Step::Purge { path: sight.host.layout.trash() });
    }
    Ok(())
}

fn sorted(registry: Option<&Registry>) -> Vec<&Owned> {
    let mut all: Vec<&Owned> = registry.iter().flat_map(|r| &r.resources).collect();
    all.sort_by_key(|owned| resource::rank(&owned.resource));
    all
}

fn make(goal: &Goal<'_>, sight: &Sight<'_>, plan: &mut Plan) -> Result<()> {
    for owned in sorted(goal.after) {
        let seen = resource::observe(&owned.resource, sight)?;
        resource::apply(&owned.resource, &seen, sight, plan)?;
    }
    Ok(())
}

fn take_away(goal: &Goal<'_>, sight: &Sight<'_>, plan: &mut Plan) -> Result<()> {
    let stays: BTreeSet<String> =
        goal.after.iter().flat_map(|r| &r.resources).map(|o| o.resource.key()).collect();
    for owned in sorted(goal.before).into_iter().rev() {
        if !stays.contains(&owned.resource.key()) {
            resource::remove(&owned.resource, sight, goal.disposal, plan)?;
        }
    }
    Ok(())
}

fn concerns_services(step: &Step, sight: &Sight<'_>) -> bool {
    let services = sight.host.layout.services();
    match step {
        Step::WriteFile { path, .. } => path.starts_with(&services),
        Step::Move { from, .. } => from.starts_with(&services),
        _ => false,
    }
}

fn leads_into_trash(step: &Step, sight: &Sight<'_>) -> bool {
    matches!(step, Step::Move { to, .. } if to.starts_with(sight.host.layout.trash()))
}

/// What is there of every declared resource that is not as declared.
pub(crate) fn differences<'r>(
    registry: &'r Registry,
    sight: &Sight<'_>,
) -> Result<Vec<(&'r Resource, Seen)>> {
    let mut found = Vec::new();
    for owned in sorted(Some(registry)) {
        match resource::observe(&owned.resource, sight)? {
            Seen::Same => {}
            seen => found.push((&owned.resource, seen)),
        }
    }
    Ok(found)
}
