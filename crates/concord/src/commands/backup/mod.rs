//! `concord backup`: everything of one server in one directory.

mod create;
mod list;
mod verify;

pub use super::progress::Bar;

use super::Run;
use crate::context::Context;
use crate::failure::Failure;

/// Make, list and verify backups
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    Create(create::Args),
    List(list::Args),
    Verify(verify::Args),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Create(args) => args.run(context),
            Self::List(args) => args.run(context),
            Self::Verify(args) => args.run(context),
        }
    }
}
