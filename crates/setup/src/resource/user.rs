//! The user that services run as.

use super::{Seen, Sight};
use crate::error::Result;
use crate::plan::Plan;
use crate::step::Step;
use std::path::Path;

pub(super) fn observe(sight: &Sight<'_>, name: &str) -> Result<Seen> {
    Ok(sight.host.system.user(name)?.map_or(Seen::Absent, |_| Seen::Same))
}

pub(super) fn apply(sight: &Sight<'_>, name: &str, home: &Path, plan: &mut Plan) {
    plan.step(Step::MakeUser { name: name.to_owned(), home: sight.path(home) });
}

pub(super) fn remove(sight: &Sight<'_>, name: &str, plan: &mut Plan) -> Result<()> {
    if sight.host.system.user(name)?.is_some() {
        plan.change("remove", format!("user {name}"), "no service runs as it");
        plan.after(Step::RemoveUser { name: name.to_owned() });
    }
    Ok(())
}
