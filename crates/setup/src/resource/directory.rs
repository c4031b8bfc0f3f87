//! Directories.

use super::{Disposal, Seen, Sight};
use crate::error::Result;
use crate::host::access_of;
use crate::plan::Plan;
use crate::step::Step;
use concord_registry::Class;
use std::path::Path;

/// Mode and owner of a path against what is declared.
pub(super) fn access_differs(
    sight: &Sight<'_>,
    path: &Path,
    mode: u32,
    service_owned: bool,
) -> Result<Option<String>> {
    let Some(access) = access_of(path) else { return Ok(None) };
    if access.mode != mode {
        return Ok(Some(format!("its mode is {:o}, not {mode:o}", access.mode)));
    }
    let Some(owner) = sight.owner(service_owned) else { return Ok(None) };
    match sight.host.system.user(&owner)? {
        Some(account) if account.uid != access.uid => {
            Ok(Some(format!("user {} owns it, not {owner}", access.uid)))
        }
        None => Ok(Some(format!("its owner {owner} does not exist"))),
        _ => Ok(None),
    }
}

pub(super) fn observe(
    sight: &Sight<'_>,
    path: &Path,
    mode: u32,
    service_owned: bool,
) -> Result<Seen> {
    let path = sight.path(path);
    match std::fs::symlink_metadata(&path) {
        Err(_) => Ok(Seen::Absent),
        // An administrator may have put a volume behind a link.
        Ok(_) if !path.is_dir() => Ok(Seen::Differs("it is no directory".to_owned())),
        Ok(found) if found.is_symlink() => Ok(Seen::Same),
        Ok(_) => {
            Ok(access_differs(sight, &path, mode, service_owned)?.map_or(Seen::Same, Seen::Differs))
        }
    }
}

pub(super) fn apply(
    sight: &Sight<'_>,
    path: &Path,
    mode: u32,
    service_owned: bool,
    whole: bool,
    seen: &Seen,
    plan: &mut Plan,
) {
    let owner = sight.owner(service_owned);
    let path = sight.path(path);
    match seen {
        Seen::Differs(_) if path.is_dir() => {
            plan.step(Step::SetAccess { path, mode, owner, whole });
        }
        Seen::Differs(_) => {
            let to = sight.host.layout.quarantine().join(name_of(&path));
            plan.step(Step::Move { from: path.clone(), to });
            plan.step(Step::make_directory(path, mode, owner));
        }
        _ => plan.step(Step::make_directory(path, mode, owner)),
    }
}

pub(crate) fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

pub(super) fn remove(
    sight: &Sight<'_>,
    path: &Path,
    whole: bool,
    class: Class,
    disposal: &Disposal,
    plan: &mut Plan,
) {
    let full = sight.path(path);
    if !full.exists() {
        return;
    }
    if disposal.keep.contains(&class) {
        plan.change("keep", format!("directory {}", full.display()), "it was asked for");
        return;
    }
    if !whole {
        plan.change("remove", format!("directory {}", full.display()), "nothing needs it");
        plan.after(Step::PurgeIfEmpty { path: full });
        return;
    }
    take_away(sight, &full, class, disposal, plan);
}

/// Moves a path into quarantine or into the trash, as its class says.
pub(super) fn take_away(
    sight: &Sight<'_>,
    path: &Path,
    class: Class,
    disposal: &Disposal,
    plan: &mut Plan,
) {
    if let Some(quarantine) = disposal.goes_to_quarantine(class) {
        let to = quarantine.join(below(sight, path));
        plan.change(
            "move",
            path.display().to_string(),
            format!("nothing needs it; it is kept as {}", to.display()),
        );
        plan.step(Step::Move { from: path.to_owned(), to });
        return;
    }
    plan.change("remove", path.display().to_string(), "nothing needs it");
    if disposal.everything && path.starts_with(sight.host.layout.root().path()) {
        plan.after(Step::Purge { path: path.to_owned() });
        return;
    }
    let to = sight.host.layout.trash().join(below(sight, path));
    plan.step(Step::Move { from: path.to_owned(), to });
}

/// A path's place below the root, or below `outside`.
fn below(sight: &Sight<'_>, path: &Path) -> std::path::PathBuf {
    match path.strip_prefix(sight.host.layout.root().path()) {
        Ok(inside) => inside.to_owned(),
        Err(_) => Path::new("outside").join(path.strip_prefix("/").unwrap_or(path)),
    }
}
