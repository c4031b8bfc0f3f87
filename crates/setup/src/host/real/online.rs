//! The directory of a running core, by the admin API.

use super::{RealSystem, block_on};
use crate::error::{Result, SetupError};
use crate::host::{ConnectorObject, DirectoryState, GeneratorObject, ObjectKey, ObjectState};
use concord_controller::{ClientError, Method, path_of};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
struct Whole {
    items: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    kind: String,
    name: String,
}

#[derive(Deserialize)]
struct Listing {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    name: String,
    #[serde(default)]
    component: Option<String>,
    #[serde(default)]
    enabled: Option<bool>,
    #[serde(default)]
    address_spaces: Option<Vec<Value>>,
    #[serde(default)]
    settings: Option<Map<String, Value>>,
    #[serde(default)]
    rule: Option<String>,
}

#[derive(Deserialize)]
struct Missing {
    items: Vec<MissingOfType>,
}

#[derive(Deserialize)]
struct MissingOfType {
    #[serde(rename = "type")]
    kind: String,
    count: u64,
}

/// Whether the core answers now. While it is paused its socket is open and
/// nobody is behind it: a question would wait for the end of the pause.
fn answers(system: &RealSystem) -> Result<bool> {
    let services = super::services::list(&system.control())?;
    Ok(match services {
        None => true,
        Some(all) => all.iter().any(|service| service.name == "core" && service.state == "ready"),
    })
}

fn failed(act: &str) -> impl Fn(ClientError) -> SetupError {
    move |error| SetupError::Service { act: act.to_owned(), cause: error.to_string() }
}

/// `None` if no core runs.
pub(super) fn state(system: &RealSystem) -> Result<Option<DirectoryState>> {
    if !answers(system)? {
        return Ok(None);
    }
    let admin = system.admin();
    let asked = block_on(async {
        let whole: Whole = admin.get("/v1/directory", &[]).await?;
        let connectors: Listing = admin.get("/v1/connectors", &[]).await?;
        let generators: Listing = admin.get("/v1/generators", &[]).await?;
        let missing: Missing = admin.get("/v1/generators/missing", &[]).await?;
        Ok((whole, connectors, generators, missing))
    })?;
    let (whole, connectors, generators, missing) = match asked {
        Ok(found) => found,
        Err(error) if ClientError::is_not_running(&error) => return Ok(None),
        Err(error) => return Err(failed("ask the core for its directory")(error)),
    };
    let names = |kind: &str| {
        whole.items.iter().filter(|e| e.kind == kind).map(|e| e.name.clone()).collect::<Vec<_>>()
    };
    Ok(Some(DirectoryState {
        lineage: None,
        schema: None,
        lost_end: None,
        organisation: names("organisation").pop(),
        servers: names("server"),
        domains: names("domain"),
        mailboxes: u64::try_from(names("mailbox").len()).unwrap_or(u64::MAX),
        connectors: connectors.items.into_iter().map(connector).collect(),
        generators: generators
            .items
            .into_iter()
            .map(|item| GeneratorObject {
                address_type: item.name,
                component: item.component.unwrap_or_default(),
                rule: item.rule.unwrap_or_default(),
            })
            .collect(),
        without_address: missing.items.into_iter().map(|m| (m.kind, m.count)).collect(),
    }))
}

fn connector(item: Item) -> ConnectorObject {
    ConnectorObject {
        name: item.name,
        component: item.component.unwrap_or_default(),
        enabled: item.enabled.unwrap_or(true),
        address_spaces: item.address_spaces.unwrap_or_default(),
        settings: item.settings.unwrap_or_default(),
    }
}

/// `false` if no core runs.
fn done(act: &str, outcome: std::result::Result<Value, ClientError>) -> Result<bool> {
    match outcome {
        Ok(_) => Ok(true),
        Err(error) if error.is_not_running() => Ok(false),
        Err(error) => Err(failed(act)(error)),
    }
}

pub(super) fn put(system: &RealSystem, object: &ObjectState) -> Result<bool> {
    if !answers(system)? {
        return Ok(false);
    }
    let admin = system.admin();
    let outcome = block_on(async {
        let (list, name) = place(&object.key());
        let path = path_of(list, &name);
        match admin.get::<Value>(&path, &[]).await {
            Err(ClientError::Refused { status: 404, .. }) => {
                admin.send(Method::POST, list, &new(object)).await
            }
            Err(error) => Err(error),
            Ok(there) => admin.send(Method::PATCH, &path, &change(object, &there)).await,
        }
    })?;
    done("change the directory", outcome)
}

pub(super) fn remove(system: &RealSystem, key: &ObjectKey) -> Result<bool> {
    if !answers(system)? {
        return Ok(false);
    }
    let (list, name) = place(key);
    let outcome = block_on(system.admin().act(Method::DELETE, &path_of(list, &name)))?;
    match outcome {
        Err(ClientError::Refused { status: 404, .. }) => Ok(true),
        other => done("take an object out of the directory", other),
    }
}

/// Without a core the next start of one gives them.
pub(super) fn stamp(system: &RealSystem) -> Result<()> {
    if !answers(system)? {
        return Ok(());
    }
    let outcome = block_on(system.admin().act(Method::POST, "/v1/generators/stamp"))?;
    done("give mailboxes their addresses", outcome).map(|_| ())
}

fn place(key: &ObjectKey) -> (&'static str, String) {
    match key {
        ObjectKey::Connector(name) => ("/v1/connectors", name.clone()),
        ObjectKey::Generator(name) => ("/v1/generators", name.clone()),
    }
}

fn new(object: &ObjectState) -> Value {
    match object {
        ObjectState::Connector(c) => json!({
            "name": c.name,
            "component": c.component,
            "enabled": c.enabled,
            "address_spaces": c.address_spaces,
            "settings": c.settings,
        }),
        ObjectState::Generator(g) => json!({
            "name": g.address_type,
            "component": g.component,
            "rule": g.rule,
        }),
    }
}

/// What makes the object as it is wanted; settings that are gone are `null`.
fn change(object: &ObjectState, there: &Value) -> Value {
    match object {
        ObjectState::Connector(c) => {
            let mut settings = c.settings.clone();
            let old = there.get("settings").and_then(Value::as_object);
            for name in old.into_iter().flat_map(Map::keys) {
                settings.entry(name.clone()).or_insert(Value::Null);
            }
            json!({
                "enabled": c.enabled,
                "address_spaces": c.address_spaces,
                "settings": settings,
            })
        }
        ObjectState::Generator(g) => json!({ "rule": g.rule }),
    }
}
