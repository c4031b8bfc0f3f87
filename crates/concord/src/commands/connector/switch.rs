//! `concord connector enable` and `disable`

use crate::commands::object::CONNECTOR;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_admin_api::wire::{ConnectorPatch, ObjectView};
use concord_controller::{Method, path_of};

/// Switches a connector on or off.
pub fn run(name: &str, enabled: bool, context: &Context) -> Result<(), Failure> {
    let patch = ConnectorPatch { enabled: Some(enabled), ..ConnectorPatch::default() };
    change(name, &patch, if enabled { "enabled" } else { "disabled" }, context)
}

/// Changes a connector and says so.
pub fn change(
    name: &str,
    patch: &ConnectorPatch,
    what: &str,
    context: &Context,
) -> Result<(), Failure> {
    let admin = context.admin()?;
    let path = path_of(CONNECTOR.path, name);
    let changed: ObjectView = context.block_on(admin.send(Method::PATCH, &path, patch))?;
    if context.json {
        print::json(&changed);
    } else {
        print::line(format!("connector {}: {what}", changed.name));
    }
    Ok(())
}
