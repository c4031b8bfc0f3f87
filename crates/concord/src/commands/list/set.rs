//! `concord list set`

use crate::commands::Run;
use crate::commands::object::{self, LIST, Named, Names};
use crate::context::Context;
use crate::failure::Failure;
use concord_admin_api::wire::Patch;

/// Change a distribution list
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Named,
    #[command(flatten)]
    names: Names,
    /// Add a member by name or address (may be given several times)
    #[arg(long, value_name = "MEMBER")]
    add_member: Vec<String>,
    /// Take a member away (may be given several times)
    #[arg(long, value_name = "MEMBER")]
    remove_member: Vec<String>,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let patch = Patch {
            add_members: self.add_member,
            remove_members: self.remove_member,
            ..self.names.patch()
        };
        object::change(LIST, &self.which.name, &patch, context)
    }
}
