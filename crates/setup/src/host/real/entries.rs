//! Whole objects of a directory, read and written by the engine: the admin API
//! neither shows nor takes what passwords were turned into.

use super::RealSystem;
use super::offline::{catch_up, failed, fill, give_data, has_store, options};
use crate::error::{Result, SetupError};
use crate::host::{DirectoryState, Entry, EntryKey, StoreState};
use concord_directory::{DirectoryAct, Object};
use concord_engine::offline::{self, Reading};
use std::path::Path;
use uuid::Uuid;

const READ: &str = "read the directory";
const CHANGE: &str = "change the directory";

/// What a store that nobody runs says, a backup's.
pub(super) fn state_at(directory: &Path) -> Result<StoreState> {
    let reading = Reading::open(directory).map_err(failed(READ))?;
    let mut state = DirectoryState {
        lineage: Some(Uuid::from_bytes(reading.log_id())),
        schema: Some(reading.schema()),
        ..DirectoryState::default()
    };
    fill(&mut state, &reading.objects().map_err(failed(READ))?);
    Ok(StoreState {
        directory: state,
        messages: reading.message_count().map_err(failed(READ))?,
        deliveries: reading.delivery_count().map_err(failed(READ))?,
    })
}

/// `None` if there is no store. An index that is gone while its log is there is
/// an error: what is in it is not known.
fn objects(system: &RealSystem) -> Result<Option<Vec<Object>>> {
    if !has_store(system) {
        return Ok(None);
    }
    let data = system.root.data();
    if !data.join("index.db").exists() {
        return Err(SetupError::Service {
            act: READ.to_owned(),
            cause: "there is a message log, but no index".to_owned(),
        });
    }
    let reading = Reading::open(&data).map_err(failed(READ))?;
    reading.objects().map(Some).map_err(failed(READ))
}

pub(super) fn list(system: &RealSystem) -> Result<Option<Vec<Entry>>> {
    Ok(objects(system)?.map(|all| Entry::all(&all)))
}

pub(super) fn list_at(directory: &Path) -> Result<Vec<Entry>> {
    let reading = Reading::open(directory).map_err(failed(READ))?;
    Ok(Entry::all(&reading.objects().map_err(failed(READ))?))
}

fn find<'o>(objects: &'o [Object], key: &EntryKey) -> Option<&'o Object> {
    objects.iter().find(|o| o.kind() == key.kind && o.name.to_lowercase() == key.name)
}

fn act(system: &RealSystem, acts: Vec<DirectoryAct>) -> Result<()> {
    if acts.is_empty() {
        return Ok(());
    }
    let outcomes = offline::change_directory(&options(system), acts);
    give_data(system)?;
    for outcome in outcomes.map_err(failed(CHANGE))? {
        outcome.map_err(failed(CHANGE))?;
    }
    Ok(())
}

/// What objects say of each other comes last: those may be of the same run.
pub(super) fn put(system: &RealSystem, entries: &[Entry]) -> Result<()> {
    catch_up(system)?;
    let there = objects(system)?.unwrap_or_default();
    let missing = entries.iter().filter(|entry| find(&there, &entry.key()).is_none());
    act(system, missing.map(|entry| DirectoryAct::Add(entry.renumbered(|_| None))).collect())?;
    let there = objects(system)?.unwrap_or_default();
    let acts = entries.iter().filter_map(|entry| {
        let old = find(&there, &entry.key())?;
        let new = entry.renumbered(|key| find(&there, key).map(|object| object.id));
        let object = Object {
            name: new.name,
            display_name: new.display_name,
            proxies: new.proxies,
            details: new.details,
            attributes: new.attributes,
            policy: new.policy,
            ..old.clone()
        };
        Some(DirectoryAct::Set(object))
    });
    act(system, acts.collect())
}

/// What is not there is fine. A mailbox with mail in it stays: somebody started
/// the core in between, and what it took in must not go.
pub(super) fn remove(system: &RealSystem, keys: &[EntryKey]) -> Result<()> {
    catch_up(system)?;
    let Some(there) = objects(system)? else { return Ok(()) };
    let reading = Reading::open(&system.root.data()).map_err(failed(READ))?;
    let mut acts = Vec::new();
    for object in keys.iter().filter_map(|key| find(&there, key)) {
        let folders = reading.folders(object.id.into()).map_err(failed(READ))?;
        if folders.iter().all(|folder| folder.messages == 0) {
            acts.push(DirectoryAct::Remove(object.id));
        }
    }
    drop(reading);
    act(system, acts)
}
