//! `concord list add`

use crate::commands::Run;
use crate::commands::object::{self, LIST};
use crate::context::Context;
use crate::failure::Failure;
use concord_admin_api::wire::NewList;

/// Add a distribution list
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name
    name: String,
    /// What address books show [default: the name]
    #[arg(long)]
    display_name: Option<String>,
    /// An address, the first is primary (may be given several times) [default: the name in the
    /// only mail domain]
    #[arg(long, value_name = "ADDRESS")]
    address: Vec<String>,
    /// A member's name or address (may be given several times)
    #[arg(long, value_name = "MEMBER")]
    member: Vec<String>,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let new = NewList {
            name: self.name,
            display_name: self.display_name,
            addresses: self.address,
            members: self.member,
        };
        object::add(LIST, &new, context)
    }
}
