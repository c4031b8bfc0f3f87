//! `concord generator set`

use crate::commands::Run;
use crate::commands::object::GENERATOR;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_admin_api::wire::{GeneratorPatch, ObjectView};
use concord_controller::{Method, path_of};

/// Change an address generator; addresses that are given out stay
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The address type
    #[arg(value_name = "TYPE")]
    kind: String,
    /// The rule: %m alias, %d display name, %g given name, %s surname, %i initials, %1g the first
    /// letter only, %rXY X becomes Y from here on, %% a percent
    #[arg(long)]
    rule: String,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let admin = context.admin()?;
        let patch = GeneratorPatch { rule: Some(self.rule), ..GeneratorPatch::default() };
        let path = path_of(GENERATOR.path, &self.kind);
        let changed: ObjectView = context.block_on(admin.send(Method::PATCH, &path, &patch))?;
        if context.json {
            print::json(&changed);
        } else {
            print::line(format!("generator {}: changed", changed.name));
        }
        Ok(())
    }
}
