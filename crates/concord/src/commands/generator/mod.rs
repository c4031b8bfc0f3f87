//! `concord generator`: addresses of other mail systems for mailboxes.

mod list;
mod set;
mod stamp;
mod work;

use super::Run;
use crate::context::Context;
use crate::failure::Failure;

/// List and change address generators, and stamp mailboxes with their addresses
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    List(list::Args),
    Set(set::Args),
    Stamp(stamp::Args),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List(args) => args.run(context),
            Self::Set(args) => args.run(context),
            Self::Stamp(args) => args.run(context),
        }
    }
}
