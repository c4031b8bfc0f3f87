//! `concord list add`

use crate::commands::Run;
use crate::commands::object::{self, LIST, NewNames};
use crate::context::Context;
use crate::failure::Failure;
use concord_admin_api::wire::NewList;

/// Add a distribution list
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    names: NewNames,
    /// A member's name or address (may be given several times)
    #[arg(long, value_name = "MEMBER")]
    member: Vec<String>,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let (name, addresses) = self.names.parted();
        let new = NewList {
            name,
            display_name: self.names.display_name,
            addresses,
            members: self.member,
        };
        object::add(LIST, &new, context)
    }
}
