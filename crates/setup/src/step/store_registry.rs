//! Storing the registry, and storing the one before.

use super::file::put_back;
use super::{Before, Bench};
use crate::error::Result;
use concord_registry::{Database, Registry, RegistryError};
use std::path::{Path, PathBuf};

fn database(bench: &Bench<'_>) -> Database {
    Database::new(bench.host.layout.registry())
}

/// What a damaged registry consists of: its file, the copy beside it, and an
/// earlier damaged one that was put aside; each with its name in the scratch
/// directory.
fn damaged_files(bench: &Bench<'_>, name: &Path) -> [(PathBuf, PathBuf); 3] {
    let db = database(bench);
    let saved = |ending: &str| bench.scratch.join(name).with_extension(ending);
    [
        (db.path().to_owned(), saved("db")),
        (db.copy_path(), saved("toml")),
        (db.aside_path(), saved("aside")),
    ]
}

/// A damaged one is kept octet by octet: undoing makes nothing up, and whoever
/// wants the copy in its place asks for that.
pub(super) fn look(bench: &Bench<'_>) -> Result<Before> {
    match database(bench).load() {
        Err(RegistryError::Damaged { .. }) => {
            let name = bench.save_as();
            for (path, saved) in damaged_files(bench, &name) {
                if path.exists() {
                    bench.host.copy_path(&path, &saved)?;
                }
            }
            Ok(Before::Saved(name))
        }
        Ok(Some(registry)) => Ok(Before::Registry(Box::new(registry))),
        Ok(None) => Ok(Before::Absent),
        Err(other) => Err(other.into()),
    }
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
    bench.host.remove_file(&db.copy_draft_path())?;
    bench.host.remove_file(&db.path().with_extension("db-journal"))?;
    bench.host.remove_file(db.path())
}

pub(super) fn undo(bench: &Bench<'_>, before: &Before, verb: &str) -> Result<()> {
    match before {
        Before::Absent => remove(bench),
        Before::Registry(registry) => perform(bench, Some(registry), &format!("undo {verb}")),
        Before::Saved(name) => {
            bench.host.remove_file(&database(bench).path().with_extension("db-journal"))?;
            for (path, saved) in damaged_files(bench, name) {
                match saved.exists() {
                    true => put_back(bench, &saved, &path)?,
                    false => bench.host.remove_file(&path)?,
                }
            }
            Ok(())
        }
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
