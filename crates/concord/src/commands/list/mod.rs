//! `concord list`: distribution lists.

mod add;
mod members;
mod set;

use super::Run;
use super::object::{self, LIST, Named, Remove};
use crate::context::Context;
use crate::failure::Failure;

/// Add, show, list, change and remove distribution lists
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    Add(add::Args),
    /// Show a list with its members
    Show(Named),
    /// List every distribution list
    List,
    Set(Box<set::Args>),
    /// Add members to a list
    AddMember(members::Args),
    /// Take members from a list
    RemoveMember(members::Args),
    /// Remove a list; its members stay
    Remove(Remove),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Add(args) => args.run(context),
            Self::Show(args) => object::show_one(LIST, &args.name, context),
            Self::List => object::list(LIST, context),
            Self::Set(args) => args.run(context),
            Self::AddMember(args) => args.add(context),
            Self::RemoveMember(args) => args.remove(context),
            Self::Remove(args) => object::remove(LIST, args, None, context),
        }
    }
}
