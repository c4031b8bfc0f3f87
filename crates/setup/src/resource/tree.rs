//! Trees of program files.

use super::{Seen, Sight};
use crate::error::{Result, SetupError};
use crate::hash::sha256_of;
use crate::plan::Plan;
use crate::step::Step;
use concord_registry::TreeFile;
use std::path::Path;

/// The first file that is not as the release has it.
pub(super) fn observe(sight: &Sight<'_>, path: &Path, files: &[TreeFile]) -> Result<Seen> {
    let top = sight.path(path);
    if sight.moved.as_ref() == Some(&top) {
        return Ok(Seen::Same);
    }
    if !top.exists() {
        return Ok(Seen::Absent);
    }
    for file in files {
        let full = top.join(&file.path);
        let name = file.path.display();
        match std::fs::metadata(&full) {
            Err(_) => return Ok(Seen::Differs(format!("{name} is missing"))),
            Ok(found) if found.len() != file.size => {
                return Ok(Seen::Differs(format!("{name} was changed: its size is another")));
            }
            Ok(_) if sight.hash && sha256_of(&full)? != file.sha256 => {
                return Ok(Seen::Differs(format!("{name} was changed: its hash is another")));
            }
            Ok(_) => {}
        }
    }
    Ok(Seen::Same)
}

/// The files come from a staged copy; without one Setup cannot make them up.
pub(super) fn apply(sight: &Sight<'_>, path: &Path, why: &str, plan: &mut Plan) -> Result<()> {
    let layout = &sight.host.layout;
    let full = sight.path(path);
    let staged = layout.staging().join(path);
    if !staged.exists() && sight.lenient {
        plan.notes.push(format!("program files in {}: {why}; left as they are", full.display()));
        return Ok(());
    }
    if !staged.exists() && !sight.promised {
        let cause = format!(
            "program files in {}: {why}; they come from the bundle or package they were \
             installed from: give it with --from",
            full.display()
        );
        return Err(SetupError::invalid("put program files back", cause));
    }
    if full.exists() {
        plan.step(Step::Move { from: full.clone(), to: layout.trash().join(path) });
    }
    plan.step(Step::Move { from: staged, to: full });
    Ok(())
}

pub(super) fn remove(sight: &Sight<'_>, path: &Path, plan: &mut Plan) {
    let full = sight.path(path);
    if full.exists() {
        plan.change("remove", format!("program files in {}", full.display()), "nothing needs them");
        let to = sight.host.layout.trash().join(path);
        plan.step(Step::Move { from: full, to });
    }
}
