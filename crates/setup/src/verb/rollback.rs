//! `rollback`: back to the release before, by the same way.
//!
//! Mail that the newer release took in stays: it is in the message log, which
//! the older one replays into the index that it left behind. If the newer one
//! wrote something that the older does not know, the older one says so when it
//! is on trial, and everything stays as it is.

use super::component::declare_built_in;
use super::component::move_parts;
use super::update::{finish, replace, switch, trial};
use crate::error::{Result, SetupError};
use crate::host::Host;
use crate::plan::Plan;
use crate::step::{Step, When};
use crate::survey::Survey;
use concord_registry::Registry;

/// Plans to go back to the release before.
pub fn plan(host: &Host, survey: &Survey) -> Result<Plan> {
    let verb = "rollback";
    let before = survey.installed(host)?;
    let Some(target) = before.previous.clone() else {
        let cause = "no update was made here that could be taken back";
        return Err(SetupError::invalid(verb, cause));
    };
    let program = host.layout.release(&target).join("concord");
    if !program.exists() {
        let cause = format!("{} is gone (CC-0205)", program.display());
        return Err(SetupError::invalid(verb, cause));
    }
    let after = after(host, before, &target)?;
    let mut plan = Plan::new(verb);
    plan.change(
        "return",
        format!("every part from {} to {target}", before.current),
        "it was asked for",
    );
    trial(host, before, &mut plan);
    let newer = host.layout.release(&before.current).join("concord");
    plan.step(Step::tell(replace(host, newer), When::Undoing));
    index_back(host, survey, &after, &mut plan)?;
    switch(host, survey, (before, &after), None, &mut plan)?;
    finish(host, survey, &program, &mut plan);
    Ok(plan)
}

fn after(host: &Host, before: &Registry, target: &str) -> Result<Registry> {
    let mut after = before.clone();
    after.previous = Some(before.current.clone());
    target.clone_into(&mut after.current);
    move_parts(&mut after, target);
    declare_built_in(host, &mut after)?;
    Ok(after)
}

/// If the schemas differ, the index as the older release left it.
fn index_back(host: &Host, survey: &Survey, after: &Registry, plan: &mut Plan) -> Result<()> {
    let Some(there) = survey.directory.as_ref().and_then(|d| d.schema) else { return Ok(()) };
    let Some(wanted) = after.release().map(|release| release.schemas.index) else { return Ok(()) };
    if there == wanted {
        return Ok(());
    }
    let from = host.layout.saved_index(wanted);
    if !from.exists() {
        let cause = format!(
            "the index has schema {there}, {} needs {wanted}, and the copy {} is gone; \
             'concord recover' a backup of that release",
            after.current,
            from.display()
        );
        return Err(SetupError::invalid("rollback", cause));
    }
    plan.step(Step::PutIndexBack { from, saved: host.layout.saved_index(there) });
    Ok(())
}
