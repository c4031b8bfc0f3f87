//! The unit of systemd.

use super::{Seen, Sight};
use crate::error::Result;
use crate::plan::Plan;
use crate::step::Step;
use std::path::Path;

pub(super) fn observe(
    sight: &Sight<'_>,
    name: &str,
    directory: &Path,
    content: &str,
) -> Result<Seen> {
    let path = directory.join(name);
    match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Seen::Absent),
        Ok(there) if there == content => {}
        _ => return Ok(Seen::Differs("the unit file is not what Setup wrote".to_owned())),
    }
    if sight.host.system.has_systemd() && !sight.host.system.unit(name)?.enabled {
        return Ok(Seen::Differs("it is not enabled".to_owned()));
    }
    Ok(Seen::Same)
}

pub(super) fn apply(name: &str, directory: &Path, content: &str, plan: &mut Plan) {
    plan.step(Step::WriteFile {
        path: directory.join(name),
        mode: 0o644,
        owner: None,
        content: content.to_owned(),
    });
    plan.step(Step::SetUnit { name: name.to_owned(), enabled: true, active: None });
}

/// Stopped and disabled first; the file goes behind the commit, when nothing
/// refers to it any more.
pub(super) fn remove(sight: &Sight<'_>, name: &str, directory: &Path, plan: &mut Plan) {
    let path = directory.join(name);
    if std::fs::symlink_metadata(&path).is_err() {
        return;
    }
    plan.change("remove", format!("unit {name}"), "nothing is to start");
    plan.step(Step::SetUnit { name: name.to_owned(), enabled: false, active: Some(false) });
    let to = sight.host.layout.trash().join("units").join(name);
    plan.step(Step::Move { from: path, to });
}
