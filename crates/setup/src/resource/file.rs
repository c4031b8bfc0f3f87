//! Files that Setup writes.

use super::directory::{access_differs, take_away};
use super::{Disposal, Seen, Sight};
use crate::error::Result;
use crate::plan::Plan;
use crate::step::Step;
use concord_registry::{Class, Seed};
use std::path::Path;

pub(super) fn observe(
    sight: &Sight<'_>,
    path: &Path,
    mode: u32,
    service_owned: bool,
    seed: &Seed,
) -> Result<Seen> {
    let path = sight.path(path);
    if std::fs::symlink_metadata(&path).is_err() {
        return Ok(Seen::Absent);
    }
    if let Seed::Exact(content) = seed
        && std::fs::read(&path).map_or(true, |there| there != content.as_bytes())
    {
        return Ok(Seen::Differs("its content is not what Setup wrote".to_owned()));
    }
    // What the administrator writes is his, with the mode that he gives it.
    if matches!(seed, Seed::Once(_)) {
        return Ok(Seen::Same);
    }
    Ok(access_differs(sight, &path, mode, service_owned)?.map_or(Seen::Same, Seen::Differs))
}

pub(super) fn apply(
    sight: &Sight<'_>,
    path: &Path,
    mode: u32,
    service_owned: bool,
    seed: &Seed,
    seen: &Seen,
    plan: &mut Plan,
) {
    let content = match (seed, seen) {
        (Seed::Once(_), Seen::Differs(_)) => return,
        (Seed::Once(content) | Seed::Exact(content), _) => content.clone(),
    };
    let owner = sight.owner(service_owned);
    plan.step(Step::WriteFile { path: sight.path(path), mode, owner, content });
}

pub(super) fn remove(
    sight: &Sight<'_>,
    path: &Path,
    class: Class,
    disposal: &Disposal,
    plan: &mut Plan,
) {
    let path = sight.path(path);
    if std::fs::symlink_metadata(&path).is_ok() && !disposal.keep.contains(&class) {
        take_away(sight, &path, class, disposal, plan);
    }
}
