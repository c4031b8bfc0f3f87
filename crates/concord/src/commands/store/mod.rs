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
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Verify(verify::Args),
    Compact(compact::Args),
    Rebuild(rebuild::Args),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self.command {
            Command::Verify(args) => args.run(context),
            Command::Compact(args) => args.run(context),
            Command::Rebuild(args) => args.run(context),
        }
    }
}
