//! `concord contact`: recipients elsewhere.

mod add;
mod set;

use super::Run;
use super::object::{self, CONTACT, Named, Remove};
use crate::context::Context;
use crate::failure::Failure;

/// Add, show, list, change and remove contacts (recipients elsewhere)
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    Add(add::Args),
    /// Show a contact
    Show(Named),
    /// List every contact
    List,
    Set(Box<set::Args>),
    /// Remove a contact; it leaves its lists too
    Remove(Remove),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Add(args) => args.run(context),
            Self::Show(args) => object::show_one(CONTACT, &args.name, context),
            Self::List => object::list(CONTACT, context),
            Self::Set(args) => args.run(context),
            Self::Remove(args) => object::remove(CONTACT, args, None, context),
        }
    }
}
