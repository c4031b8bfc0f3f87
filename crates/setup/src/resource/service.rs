//! Service records.

use super::{Seen, Sight};
use crate::plan::Plan;
use crate::step::Step;

pub(super) fn observe(sight: &Sight<'_>, name: &str, record: &str) -> Seen {
    match std::fs::read_to_string(sight.host.layout.record(name)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Seen::Absent,
        Ok(there) if there == record => Seen::Same,
        _ => Seen::Differs("its record is another one".to_owned()),
    }
}

/// One that stands there already is taken over: an orphan must never make an
/// install fail (Q242762).
pub(super) fn apply(sight: &Sight<'_>, name: &str, record: &str, plan: &mut Plan) {
    plan.step(Step::WriteFile {
        path: sight.host.layout.record(name),
        mode: 0o644,
        owner: None,
        content: record.to_owned(),
    });
}

pub(super) fn remove(sight: &Sight<'_>, name: &str, plan: &mut Plan) {
    let path = sight.host.layout.record(name);
    if path.exists() {
        plan.change("remove", format!("service {name}"), "its component goes");
        let to = sight.host.layout.trash().join("services").join(format!("{name}.toml"));
        plan.step(Step::Move { from: path, to });
    }
}
