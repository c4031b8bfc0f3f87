//! The schema of the store's index.

use super::{Seen, Sight};
use crate::plan::Plan;
use crate::step::Step;

/// Without a store there is nothing to migrate: it is made with the newest one.
pub(super) fn observe(sight: &Sight<'_>, version: i64) -> Seen {
    match sight.directory.and_then(|d| d.schema) {
        Some(there) if there != version => {
            Seen::Differs(format!("it is {there}, the program needs {version}"))
        }
        _ => Seen::Same,
    }
}

pub(super) fn apply(sight: &Sight<'_>, plan: &mut Plan) {
    let there = sight.directory.and_then(|d| d.schema);
    if let (Some((program, arguments)), Some(schema)) = (sight.migrate.clone(), there) {
        let saved = sight.host.layout.saved_index(schema);
        plan.step(Step::MigrateIndex { program, arguments, saved });
    }
}
