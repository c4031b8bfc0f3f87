//! `GET`, `PUT` and `DELETE /v1/connectors/{name}/state/{key}`: what a connector
//! keeps in the core.

use crate::ApiError;
use crate::api::State as App;
use crate::extract::{Body, Param};
use axum::Json;
use axum::extract::State;
use concord_base::StorageError;
use concord_connector::wire::MAX_STATE;
use concord_directory::DirectoryError;
use serde_json::Value;

/// Characters of a name; enough for any, and a bound for the index.
const MAX_KEY: usize = 64;

pub(crate) async fn get(
    State(shared): App,
    Param((name, key)): Param<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let key = checked(key)?;
    let Some(octets) = shared.api.directory.connector_state(&name, &key).await? else {
        return Err(DirectoryError::NotFound { kind: "state", name: key }.into());
    };
    let value = serde_json::from_slice(&octets)
        .map_err(|e| StorageError::Bug(format!("a connector's state is no JSON: {e}")))?;
    Ok(Json(value))
}

pub(crate) async fn put(
    State(shared): App,
    Param((name, key)): Param<(String, String)>,
    Body(value): Body<Value>,
) -> Result<(), ApiError> {
    let key = checked(key)?;
    let octets = serde_json::to_vec(&value)
        .map_err(|e| StorageError::Bug(format!("JSON cannot be written: {e}")))?;
    if octets.len() > MAX_STATE {
        return Err(ApiError::Invalid(format!(
            "cannot keep {} octets under one name: {MAX_STATE} at most; keep less",
            octets.len()
        )));
    }
    Ok(shared.api.directory.set_connector_state(&name, &key, Some(octets)).await?)
}

pub(crate) async fn delete(
    State(shared): App,
    Param((name, key)): Param<(String, String)>,
) -> Result<(), ApiError> {
    let key = checked(key)?;
    Ok(shared.api.directory.set_connector_state(&name, &key, None).await?)
}

/// Names with a dot are the core's own.
fn checked(key: String) -> Result<String, ApiError> {
    let fits = (1..=MAX_KEY).contains(&key.len())
        && key.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_');
    if fits {
        return Ok(key);
    }
    Err(ApiError::Invalid(format!(
        "cannot use '{key}' as a name of state: write 1 to {MAX_KEY} letters, digits, '-' and '_'"
    )))
}
