//! `concord contact set`

use crate::commands::Run;
use crate::commands::recipient::Recipient;
use crate::commands::object::{self, CONTACT, Named, Names};
use crate::context::Context;
use crate::failure::Failure;
use concord_admin_api::wire::Patch;

/// Change a contact
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Named,
    #[command(flatten)]
    names: Names,
    #[command(flatten)]
    recipient: Recipient,
    /// Where its mail goes
    #[arg(long, value_name = "ADDRESS")]
    target: Option<String>,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let patch = Patch { target: self.target, ..self.names.patch() };
        let patch = self.recipient.into_patch(patch);
        object::change(CONTACT, &self.which.name, &patch, context)
    }
}
