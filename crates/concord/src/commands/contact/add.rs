//! `concord contact add`

use crate::commands::Run;
use crate::commands::object::{self, CONTACT};
use crate::context::Context;
use crate::failure::Failure;
use concord_admin_api::wire::NewContact;

/// Add a contact
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    name: String,
    /// Where its mail goes, for example jane@example.org
    #[arg(long, value_name = "ADDRESS")]
    target: String,
    /// What address books show [default: the name]
    #[arg(long)]
    display_name: Option<String>,
    /// An address by which it is reached here (may be given several times)
    #[arg(long, value_name = "ADDRESS")]
    address: Vec<String>,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let new = NewContact {
            name: self.name,
            display_name: self.display_name,
            target: self.target,
            addresses: self.address,
        };
        object::add(CONTACT, &new, context)
    }
}
