//! `concord store`: message log and index.

mod compact;
mod news;
mod offline;
mod rebuild;
mod verify;

use super::Run;
use crate::context::Context;
use crate::failure::Failure;

/// Verify, compact and rebuild what is on disk
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    Verify(verify::Args),
    Compact(compact::Args),
    Rebuild(rebuild::Args),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Verify(args) => args.run(context),
            Self::Compact(args) => args.run(context),
            Self::Rebuild(args) => args.run(context),
        }
    }
}
