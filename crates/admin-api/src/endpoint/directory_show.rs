//! `GET /v1/directory`: every object in one answer.

use crate::ApiError;
use crate::api::State as App;
use crate::wire::{Address, DirectoryEntry, WholeDirectory};
use axum::Json;
use axum::extract::State;
use concord_base::StorageError;
use concord_directory::{Details, Kind, Object};
use serde_json::Value;

/// In place of a text that may be a secret.
const HIDDEN: &str = "(hidden)";

pub(crate) async fn get(State(shared): App) -> Result<Json<WholeDirectory>, ApiError> {
    let mut items = Vec::new();
    for kind in Kind::ALL {
        for object in shared.api.directory.list(kind).await? {
            items.push(entry(&object)?);
        }
    }
    Ok(Json(WholeDirectory { items }))
}

fn entry(object: &Object) -> Result<DirectoryEntry, ApiError> {
    let address = |p: &concord_directory::Proxy| Address {
        address: p.address.to_string(),
        primary: p.primary,
    };
    Ok(DirectoryEntry {
        kind: object.kind().as_str().to_owned(),
        id: object.id.0,
        name: object.name.clone(),
        display_name: object.display_name.clone(),
        proxies: object.proxies.iter().map(address).collect(),
        details: details(&object.details)?,
    })
}

fn details(details: &Details) -> Result<Value, ApiError> {
    let mut value = serde_json::to_value(details)
        .map_err(|e| StorageError::Bug(format!("an object has no JSON form: {e}")))?;
    if let Value::Object(fields) = &mut value {
        // It stands beside the details already.
        fields.remove("kind");
        if let Some(credentials) = fields.remove("credentials") {
            fields.insert("password_set".to_owned(), Value::Bool(!credentials.is_null()));
        }
        if let Some(settings) = fields.get_mut("settings") {
            hide(settings);
        }
    }
    Ok(value)
}

/// Hides texts. Recursive, but settings are nested at most 16 deep.
fn hide(value: &mut Value) {
    match value {
        Value::String(text) => HIDDEN.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::Object(fields) => fields.values_mut().for_each(hide),
        _ => {}
    }
}
