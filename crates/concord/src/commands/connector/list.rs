//! `concord connector list`

use super::show::hide;
use crate::commands::object::CONNECTOR;
use crate::commands::{Run, admin, show};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_admin_api::wire::ObjectView;

/// List every connector with what it carries; secrets are hidden
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let admin = context.admin()?;
        let mut connectors: Vec<ObjectView> =
            context.block_on(admin::all(&admin, CONNECTOR.path, &[]))?;
        connectors.iter_mut().for_each(hide);
        if context.json {
            print::json(&connectors);
            return Ok(());
        }
        let rows = connectors.iter().map(row).collect();
        show::table(&["NAME", "COMPONENT", "STATE", "CARRIES"], rows, "there are none");
        Ok(())
    }
}

fn row(connector: &ObjectView) -> Vec<String> {
    let spaces = connector.address_spaces.iter().flatten();
    let carries: Vec<_> = spaces.map(ToString::to_string).collect();
    vec![
        connector.name.clone(),
        connector.component.clone().unwrap_or_default(),
        state(connector).to_owned(),
        if carries.is_empty() { "-".to_owned() } else { carries.join(", ") },
    ]
}

/// Whether it carries mail, in a word.
pub fn state(connector: &ObjectView) -> &'static str {
    if connector.enabled == Some(true) { "enabled" } else { "disabled" }
}
