//! `concord contact`: recipients elsewhere.

mod add;
mod set;

use super::Run;
use super::object::{self, CONTACT, Named, Remove};
use crate::context::Context;
use crate::failure::Failure;

/// Add, show, list, change and remove contacts (recipients elsewhere)
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Add(add::Args),
    /// Show a contact
    Show(Named),
    /// List every contact
    List,
    Set(set::Args),
    /// Remove a contact; it leaves its lists too
    Remove(Remove),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self.command {
            Command::Add(args) => args.run(context),
            Command::Show(args) => object::show_one(CONTACT, &args.name, context),
            Command::List => object::list(CONTACT, context),
            Command::Set(args) => args.run(context),
            Command::Remove(args) => object::remove(CONTACT, args, None, context),
        }
    }
}
