//! `concord list add-member` and `remove-member`

use crate::commands::object::{self, LIST, Named};
use crate::context::Context;
use crate::failure::Failure;
use concord_admin_api::wire::Patch;

/// Members of a list.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Named,
    /// Names or addresses of mailboxes, contacts and lists
    #[arg(required = true, value_name = "MEMBER")]
    members: Vec<String>,
}

impl Args {
    /// Adds them, all or none.
    pub fn add(self, context: &Context) -> Result<(), Failure> {
        let patch = Patch { add_members: self.members, ..Patch::default() };
        object::change(LIST, &self.which.name, &patch, context)
    }

    /// Takes them away, all or none.
    pub fn remove(self, context: &Context) -> Result<(), Failure> {
        let patch = Patch { remove_members: self.members, ..Patch::default() };
        object::change(LIST, &self.which.name, &patch, context)
    }
}
