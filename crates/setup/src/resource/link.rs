//! Symbolic links.

use super::{Seen, Sight};
use crate::plan::Plan;
use crate::step::Step;
use std::path::Path;

pub(super) fn observe(sight: &Sight<'_>, path: &Path, target: &Path) -> Seen {
    let path = sight.path(path);
    match std::fs::symlink_metadata(&path) {
        Err(_) => Seen::Absent,
        Ok(found) if !found.is_symlink() => Seen::Differs("it is no link".to_owned()),
        Ok(_) => match std::fs::read_link(&path) {
            Ok(there) if there == target => Seen::Same,
            Ok(there) => Seen::Differs(format!("it points to {}", there.display())),
            Err(error) => Seen::Differs(error.to_string()),
        },
    }
}

pub(super) fn apply(sight: &Sight<'_>, path: &Path, target: &Path, plan: &mut Plan) {
    plan.step(Step::WriteLink { path: sight.path(path), target: target.to_owned() });
}

/// A link that somebody let point elsewhere is not ours to remove.
pub(super) fn remove(sight: &Sight<'_>, path: &Path, target: &Path, plan: &mut Plan) {
    if observe(sight, path, target) != Seen::Same {
        return;
    }
    let path = sight.path(path);
    plan.change("remove", format!("link {}", path.display()), "nothing needs it");
    let to = sight.host.layout.trash().join("links").join(super::directory::name_of(&path));
    plan.step(Step::Move { from: path, to });
}
