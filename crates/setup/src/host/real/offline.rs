//! The directory and the store of a server that does not run, by the engine.

use super::RealSystem;
use crate::error::{Result, SetupError};
use crate::host::{
    Account, ConnectorObject, DirectoryState, GeneratorObject, ObjectKey, ObjectState,
};
use concord_address::AddressType;
use concord_base::SystemClock;
use concord_directory::{Connector, Details, DirectoryAct, Generator, Kind, NewObject, Object};
use concord_engine::{EngineOptions, offline};
use std::fs::File;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Places of damage that the doctor names; `concord store verify` has all.
const MAX_DAMAGE: usize = 10;

pub(super) fn options(system: &RealSystem) -> EngineOptions {
    EngineOptions::new(system.root.data(), Arc::new(SystemClock))
}

pub(super) fn failed<E: std::fmt::Display>(act: &'static str) -> impl Fn(E) -> SetupError {
    move |error| SetupError::Service { act: act.to_owned(), cause: error.to_string() }
}

/// Whether there is a store at all.
pub(super) fn has_store(system: &RealSystem) -> bool {
    let data = system.root.data();
    data.join("index.db").exists() || data.join("log").exists()
}

/// The log's id and the index's schema.
pub(super) fn marks(system: &RealSystem) -> Result<(Option<Uuid>, Option<i64>)> {
    let options = options(system);
    let lineage = offline::lineage(&options).map_err(failed("read the message log"))?;
    Ok((lineage, offline::schema_of(&options)))
}

pub(super) fn lost_end(system: &RealSystem) -> Result<Option<String>> {
    offline::lost_end(&options(system)).map_err(failed("compare index and message log"))
}

pub(super) fn state(system: &RealSystem) -> Result<Option<DirectoryState>> {
    if !has_store(system) {
        return Ok(None);
    }
    let (lineage, schema) = marks(system)?;
    let mut state = DirectoryState { lineage, schema, ..DirectoryState::default() };
    if !system.root.data().join("index.db").exists() {
        return Ok(Some(state));
    }
    if offline::is_only_begun(&options(system)) {
        return Ok(lineage.map(|_| state));
    }
    let act = "read the directory";
    let reading = offline::Reading::open(&system.root.data()).map_err(failed(act))?;
    if let Some(lineage) = lineage
        && Uuid::from_bytes(reading.log_id()) != lineage
    {
        return Err(SetupError::Service {
            act: act.to_owned(),
            cause: "the index belongs to another message log than the one beside it".to_owned(),
        });
    }
    state.lost_end = lost_end(system)?;
    let objects = reading.objects().map_err(failed(act))?;
    fill(&mut state, &objects);
    Ok(Some(state))
}

pub(super) fn fill(state: &mut DirectoryState, objects: &[Object]) {
    for object in objects {
        let name = object.name.clone();
        match &object.details {
            Details::Organisation => state.organisation = Some(name),
            Details::Server => state.servers.push(name),
            Details::Domain => state.domains.push(name),
            Details::Mailbox(_) => state.mailboxes += 1,
            Details::Connector(connector) => {
                state.connectors.push(connector_object(name, connector))
            }
            Details::Generator(generator) => state.generators.push(GeneratorObject {
                address_type: name,
                component: generator.component.clone(),
                rule: generator.rule.clone(),
            }),
            _ => {}
        }
    }
    for generator in &state.generators {
        let Ok(kind) = generator.address_type.parse::<AddressType>() else { continue };
        let lacking = objects
            .iter()
            .filter(|o| o.kind() == Kind::Mailbox && o.primary(&kind).is_none())
            .count();
        let lacking = u64::try_from(lacking).unwrap_or(u64::MAX);
        state.without_address.push((generator.address_type.clone(), lacking));
    }
}

fn connector_object(name: String, connector: &Connector) -> ConnectorObject {
    let spaces = connector.address_spaces.iter();
    ConnectorObject {
        name,
        component: connector.component.clone(),
        enabled: connector.enabled,
        address_spaces: spaces.filter_map(|space| serde_json::to_value(space).ok()).collect(),
        settings: connector.settings.clone(),
    }
}

/// Carries acts out, then gives what was written to the services' user.
fn act(system: &RealSystem, acts: Vec<DirectoryAct>) -> Result<()> {
    let outcomes = offline::change_directory(&options(system), acts);
    give_data(system)?;
    for outcome in outcomes.map_err(failed("change the directory"))? {
        outcome.map_err(failed("change the directory"))?;
    }
    Ok(())
}

/// Lets the index have what the message log has. A process that was killed may
/// have written an act into the log and not yet into the index; whoever goes by
/// the index alone would not see what the next opening brings back.
pub(super) fn catch_up(system: &RealSystem) -> Result<()> {
    if has_store(system) { act(system, Vec::new()) } else { Ok(()) }
}

/// The objects that are there, for whoever is about to change them.
fn objects(system: &RealSystem) -> Result<Vec<Object>> {
    catch_up(system)?;
    if !system.root.data().join("index.db").exists() {
        return Ok(Vec::new());
    }
    let act = "read the directory";
    let reading = offline::Reading::open(&system.root.data()).map_err(failed(act))?;
    reading.objects().map_err(failed(act))
}

fn find<'o>(objects: &'o [Object], kind: Kind, name: &str) -> Option<&'o Object> {
    objects.iter().find(|o| o.kind() == kind && o.name.eq_ignore_ascii_case(name))
}

pub(super) fn bootstrap(
    system: &RealSystem,
    organisation: &str,
    domain: &str,
    hostname: &str,
) -> Result<()> {
    let there = objects(system)?;
    if let Some(other) = there.iter().find(|o| o.kind() == Kind::Organisation)
        && !other.name.eq_ignore_ascii_case(organisation)
    {
        let cause = format!(
            "the store belongs to organisation '{}', not '{organisation}' (CC-0501); use that \
             name, or another root",
            other.name
        );
        return Err(SetupError::invalid("begin the directory", cause));
    }
    let wanted = [
        (Kind::Organisation, organisation, Details::Organisation),
        (Kind::Site, "First", Details::Site),
        (Kind::Server, hostname, Details::Server),
        (Kind::Domain, domain, Details::Domain),
    ];
    let missing = wanted.into_iter().filter(|(kind, name, _)| find(&there, *kind, name).is_none());
    let acts: Vec<DirectoryAct> =
        missing.map(|(_, name, details)| DirectoryAct::Add(new_object(name, details))).collect();
    if acts.is_empty() { Ok(()) } else { act(system, acts) }
}

fn new_object(name: &str, details: Details) -> NewObject {
    let name = name.to_owned();
    NewObject { display_name: name.clone(), ..NewObject::new(name, details) }
}

fn details_of(object: &ObjectState) -> Result<(Kind, &str, Details)> {
    match object {
        ObjectState::Connector(c) => {
            let spaces: std::result::Result<Vec<_>, _> =
                c.address_spaces.iter().cloned().map(serde_json::from_value).collect();
            let address_spaces = spaces.map_err(|e| {
                SetupError::invalid(format!("put connector {} into the directory", c.name), e)
            })?;
            let connector = Connector {
                component: c.component.clone(),
                enabled: c.enabled,
                address_spaces,
                settings: c.settings.clone(),
            };
            Ok((Kind::Connector, &c.name, Details::Connector(connector)))
        }
        ObjectState::Generator(g) => {
            let generator = Generator { component: g.component.clone(), rule: g.rule.clone() };
            Ok((Kind::Generator, &g.address_type, Details::Generator(generator)))
        }
    }
}

pub(super) fn put(system: &RealSystem, object: &ObjectState) -> Result<()> {
    let (kind, name, details) = details_of(object)?;
    let there = objects(system)?;
    let change = match find(&there, kind, name) {
        Some(old) => DirectoryAct::Set(Object { details, ..old.clone() }),
        None => DirectoryAct::Add(new_object(name, details)),
    };
    act(system, vec![change])
}

pub(super) fn remove(system: &RealSystem, key: &ObjectKey) -> Result<()> {
    let (kind, name) = match key {
        ObjectKey::Connector(name) => (Kind::Connector, name),
        ObjectKey::Generator(name) => (Kind::Generator, name),
    };
    let there = objects(system)?;
    match find(&there, kind, name) {
        Some(object) => act(system, vec![DirectoryAct::Remove(object.id)]),
        None => Ok(()),
    }
}

pub(super) fn snapshot_index(system: &RealSystem, to: &Path) -> Result<()> {
    offline::snapshot_index(&options(system), to).map_err(failed("copy the index"))?;
    // The release on trial reads and migrates it as the services' user.
    match system.account()? {
        Some(account) => give(to, account),
        None => Ok(()),
    }
}

/// A program that migrates the index outlives the run that was killed beside it;
/// no index is so large that it takes longer.
const ORPHAN_LIMIT: Duration = Duration::from_secs(60);

/// Waits until nobody has the store. Who does not let go is named by what is
/// done next.
fn await_free(system: &RealSystem) {
    let Ok(lock) = File::open(system.root.data().join("engine.lock")) else { return };
    let until = Instant::now() + ORPHAN_LIMIT;
    while lock.try_lock().is_err() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(50));
    }
}

pub(super) fn put_index_back(system: &RealSystem, from: &Path) -> Result<()> {
    await_free(system);
    let done = offline::put_index_back(&options(system), from);
    give_data(system)?;
    done.map_err(failed("put the index back"))
}

pub(super) fn renumber(system: &RealSystem) -> Result<()> {
    let done = offline::renumber(&options(system));
    give_data(system)?;
    done.map(|_| ()).map_err(failed("renumber the folders"))
}

pub(super) fn check_index(system: &RealSystem) -> Result<Vec<String>> {
    if !system.root.data().join("index.db").exists() {
        return Ok(Vec::new());
    }
    let act = "check the index";
    let reading = offline::Reading::open(&system.root.data()).map_err(failed(act))?;
    let mut lines = reading.quick_check().map_err(failed(act))?;
    if lines.is_empty() {
        let report = offline::verify(&options(system)).map_err(failed("verify the store"))?;
        lines.extend(report.findings.iter().take(MAX_DAMAGE).map(|found| {
            let touched = match found.messages.as_slice() {
                [] => String::new(),
                [one] => format!("; touches {one}"),
                [one, more @ ..] => format!("; touches {one} and {} more", more.len()),
            };
            format!("{} at {}: {}{touched}", found.path, found.offset, found.cause)
        }));
    }
    Ok(lines)
}

/// What root wrote in the data directory must be the services'.
pub(super) fn give_data(system: &RealSystem) -> Result<()> {
    match system.account()? {
        Some(account) => give(&system.root.data(), account),
        None => Ok(()),
    }
}

fn give(path: &Path, account: Account) -> Result<()> {
    let Ok(found) = std::fs::symlink_metadata(path) else { return Ok(()) };
    if (found.uid(), found.gid()) != (account.uid, account.gid) {
        lchown(path, Some(account.uid), Some(account.gid))
            .map_err(SetupError::io("give away", path))?;
    }
    if found.is_dir() {
        for entry in crate::survey::entries(path) {
            give(&entry, account)?;
        }
    }
    Ok(())
}
