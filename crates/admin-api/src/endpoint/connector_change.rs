//! `PATCH /v1/connectors/{name}`

use crate::api::State as App;
use crate::extract::{Body, Param};
use crate::wire::{ConnectorPatch, ObjectView};
use crate::{ApiError, find, view};
use axum::Json;
use axum::extract::State;
use concord_address::AddressSpace;
use concord_directory::{Connector, Details, DirectoryAct, DirectoryError, Kind};

/// Changes a connector in one commit; routing follows at once.
pub(crate) async fn patch(
    State(shared): App,
    Param(name): Param<String>,
    Body(patch): Body<ConnectorPatch>,
) -> Result<Json<ObjectView>, ApiError> {
    let _writer = shared.api.writer.whole().await;
    let mut object = (*find::object(&shared, Kind::Connector, &name).await?).clone();
    if let Some(display_name) = &patch.display_name {
        object.display_name.clone_from(display_name);
    }
    if let Details::Connector(connector) = &mut object.details {
        change(connector, patch)?;
    }
    let stored = shared.api.directory.change(DirectoryAct::Set(object)).await?;
    Ok(Json(view::object(&stored)))
}

fn change(connector: &mut Connector, patch: ConnectorPatch) -> Result<(), ApiError> {
    connector.enabled = patch.enabled.unwrap_or(connector.enabled);
    if let Some(spaces) = patch.address_spaces {
        connector.address_spaces = spaces;
    }
    for text in &patch.remove_address_spaces {
        let space: AddressSpace =
            text.parse().map_err(|e| ApiError::Invalid(format!("cannot remove it: {e}")))?;
        let before = connector.address_spaces.len();
        connector.address_spaces.retain(|other| !same(other, &space));
        if connector.address_spaces.len() == before {
            let name = space.to_string();
            return Err(DirectoryError::NotFound { kind: "address space", name }.into());
        }
    }
    for space in patch.add_address_spaces {
        connector.address_spaces.retain(|other| !same(other, &space));
        connector.address_spaces.push(space);
    }
    for (key, value) in patch.settings {
        if !value.is_null() {
            connector.settings.insert(key, value);
        } else if connector.settings.remove(&key).is_none() {
            return Err(DirectoryError::NotFound { kind: "setting", name: key }.into());
        }
    }
    Ok(())
}

/// Whether two are of the same addresses, whatever they cost.
fn same(a: &AddressSpace, b: &AddressSpace) -> bool {
    a.kind() == b.kind() && a.pattern() == b.pattern()
}
