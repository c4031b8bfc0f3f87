//! `concord generator list`

use crate::commands::object::GENERATOR;
use crate::commands::{Run, admin, show};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_admin_api::wire::{Missing, ObjectView};

/// List every address generator, and how many mailboxes lack an address of its type
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let admin = context.admin()?;
        let generators: Vec<ObjectView> =
            context.block_on(admin::all(&admin, GENERATOR.path, &[]))?;
        if context.json {
            print::json(&generators);
            return Ok(());
        }
        let missing: Missing = context.block_on(admin.get("/v1/generators/missing", &[]))?;
        let rows = generators.iter().map(|generator| row(generator, &missing)).collect();
        show::table(&["TYPE", "RULE", "COMPONENT", "MAILBOXES WITHOUT"], rows, "there are none");
        Ok(())
    }
}

fn row(generator: &ObjectView, missing: &Missing) -> Vec<String> {
    let of_type = missing.items.iter().find(|of_type| of_type.kind == generator.name);
    vec![
        generator.name.clone(),
        generator.rule.clone().unwrap_or_default(),
        generator.component.clone().unwrap_or_default(),
        of_type.map_or(0, |of_type| of_type.count).to_string(),
    ]
}
