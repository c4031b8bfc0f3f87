//! `concord connector show`

use super::list::state;
use crate::commands::object::{CONNECTOR, Named};
use crate::commands::{Run, show};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_admin_api::wire::ObjectView;
use concord_controller::path_of;

/// Parts of the names of settings that hold secrets.
const SECRETS: [&str; 4] = ["password", "secret", "token", "key"];

/// Show a connector: what it carries, at what cost, and its settings
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Named,
    /// Show secrets too
    #[arg(long)]
    secrets: bool,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let admin = context.admin()?;
        let path = path_of(CONNECTOR.path, &self.which.name);
        let mut connector: ObjectView = context.block_on(admin.get(&path, &[]))?;
        if !self.secrets {
            hide(&mut connector);
        }
        if context.json {
            print::json(&connector);
        } else {
            facts(&connector);
        }
        Ok(())
    }
}

/// Hides settings that are secrets by their names: terminals are looked over,
/// and results end up in tickets.
pub fn hide(connector: &mut ObjectView) {
    for (key, value) in connector.settings.iter_mut().flatten() {
        let key = key.to_lowercase();
        if SECRETS.iter().any(|secret| key.contains(secret)) && !value.is_null() {
            *value = "(hidden)".into();
        }
    }
}

fn facts(connector: &ObjectView) {
    let mut rows = vec![
        ("name", connector.name.clone()),
        ("display name", connector.display_name.clone()),
        ("component", connector.component.clone().unwrap_or_default()),
        ("state", state(connector).to_owned()),
    ];
    for space in connector.address_spaces.iter().flatten() {
        rows.push(("carries", format!("{space}  (cost {})", space.cost())));
    }
    for (key, value) in connector.settings.iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), show::said);
        rows.push(("setting", format!("{key} = {value}")));
    }
    rows.push(("added (UTC)", show::time(&connector.created)));
    rows.push(("changed (UTC)", show::time(&connector.changed)));
    show::facts(&rows);
}
