//! Putting objects into the directory, and taking them out again.
//!
//! The objects are in a file, and what was there before goes into the scratch
//! directory: there may be tens of thousands, and what passwords were turned
//! into has no place in a journal, which is kept.

use super::{Before, Bench};
use crate::error::{Result, SetupError};
use crate::host::{Entry, EntryKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What undoing needs.
#[derive(Serialize, Deserialize)]
struct Saved {
    /// Objects that were not there, lists first.
    absent: Vec<EntryKey>,
    /// Objects as they were.
    old: Vec<Entry>,
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let octets = std::fs::read(path).map_err(SetupError::io("read", path))?;
    serde_json::from_slice(&octets)
        .map_err(|e| SetupError::invalid(format!("read {}", path.display()), e))
}

pub(super) fn look(bench: &Bench<'_>, file: &Path) -> Result<Before> {
    let wanted: Vec<Entry> = read(file)?;
    let there = bench.host.system.entries()?.unwrap_or_default();
    let mut saved = Saved { absent: Vec::new(), old: Vec::new() };
    for key in wanted.iter().map(Entry::key) {
        match there.iter().find(|entry| entry.key() == key) {
            Some(entry) => saved.old.push(entry.clone()),
            None => saved.absent.push(key),
        }
    }
    // A list is gone before its members are.
    saved.absent.sort_by_key(|key| key.kind != concord_directory::Kind::List);
    let name = bench.save_as();
    let octets = serde_json::to_vec(&saved)
        .map_err(|e| SetupError::invalid("save objects of the directory", e))?;
    bench.host.write_file(&bench.scratch.join(&name), &octets, 0o600, None)?;
    Ok(Before::Saved(name))
}

pub(super) fn perform(bench: &Bench<'_>, file: &Path) -> Result<()> {
    let wanted: Vec<Entry> = read(file)?;
    let on = format!("{} objects", wanted.len());
    bench.host.act("merge into the directory", &on, |system| system.put_entries(&wanted))
}

pub(super) fn undo(bench: &Bench<'_>, before: &Before) -> Result<()> {
    let Before::Saved(name) = before else { return Ok(()) };
    let Saved { absent, old } = read(&bench.scratch.join(name))?;
    let on = format!("{} objects", absent.len());
    bench.host.act("take out of the directory", &on, |system| system.remove_entries(&absent))?;
    let on = format!("{} objects", old.len());
    bench.host.act("put back into the directory", &on, |system| system.put_entries(&old))
}
