//! `concord mailbox`: recipients with a mailbox here.

mod add;
mod set;

use super::Run;
use super::object::{self, MAILBOX, Named, Remove};
use crate::context::Context;
use crate::failure::Failure;

/// Add, show, list, change and remove mailboxes
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    Add(add::Args),
    /// Show a mailbox: addresses, quota, use
    Show(Named),
    /// List every mailbox
    List,
    Set(Box<set::Args>),
    /// Remove a mailbox with its folders and messages
    Remove(Remove),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Add(args) => args.run(context),
            Self::Show(args) => object::show_one(MAILBOX, &args.name, context),
            Self::List => object::list(MAILBOX, context),
            Self::Set(args) => args.run(context),
            Self::Remove(args) => {
                object::remove(MAILBOX, args, Some("with all its messages"), context)
            }
        }
    }
}
