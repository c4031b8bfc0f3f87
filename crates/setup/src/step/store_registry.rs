//! Storing the registry, and storing the one before.

use super::{Before, Bench};
use crate::error::Result;
use concord_registry::{Database, Registry, RegistryError};

fn database(bench: &Bench<'_>) -> Database {
    Database::new(bench.host.layout.registry())
}

/// A damaged one is not put back: the copy that stands beside it is.
pub(super) fn look(bench: &Bench<'_>) -> Result<Before> {
    let found = match database(bench).load() {
        Err(RegistryError::Damaged { .. }) => database(bench).load_copy().unwrap_or_default(),
        other => other?,
    };
    Ok(found.map_or(Before::Absent, |registry| Before::Registry(Box::new(registry))))
}

pub(super) fn perform(bench: &Bench<'_>, registry: Option<&Registry>, verb: &str) -> Result<()> {
    let db = database(bench);
    let Some(registry) = registry else { return remove(bench) };
    let on = db.path().display().to_string();
    let now = bench.host.now();
    bench.host.act("store the registry in", &on, |_| {
        if matches!(db.load(), Err(RegistryError::Damaged { .. })) {
            db.put_aside()?;
        }
        Ok(db.store(registry, verb, now)?)
    })
}

fn remove(bench: &Bench<'_>) -> Result<()> {
    let db = database(bench);
    bench.host.remove_file(&db.copy_path())?;
    bench.host.remove_file(&db.path().with_extension("db-journal"))?;
    bench.host.remove_file(db.path())
}

pub(super) fn undo(bench: &Bench<'_>, before: &Before, verb: &str) -> Result<()> {
    match before {
        Before::Absent => remove(bench),
        Before::Registry(registry) => perform(bench, Some(registry), &format!("undo {verb}")),
        _ => Ok(()),
    }
}

/// The store is made by the run itself; its identity is known only then.
pub(super) fn learn(bench: &Bench<'_>) -> Result<()> {
    let Some(mut registry) = database(bench).load()? else { return Ok(()) };
    let before = registry.clone();
    crate::verb::repair::learn_identity(bench.host.system.directory()?.as_ref(), &mut registry);
    if registry == before { Ok(()) } else { perform(bench, Some(&registry), "learn") }
}
