//! `concord config`: the configuration file.

mod check;
mod example;
mod reference;

use super::Run;
use crate::context::Context;
use crate::failure::Failure;

/// Check and explain the configuration file
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Check(check::Args),
    Example(example::Args),
    Reference(reference::Args),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self.command {
            Command::Check(args) => args.run(context),
            Command::Example(args) => args.run(context),
            Command::Reference(args) => args.run(context),
        }
    }
}
