//! `concord config`: the configuration file.

mod check;
mod example;
mod reference;

use super::Run;
use crate::context::Context;
use crate::failure::Failure;

/// Check and explain the configuration file
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    Check(check::Args),
    Example(example::Args),
    Reference(reference::Args),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Check(args) => args.run(context),
            Self::Example(args) => args.run(context),
            Self::Reference(args) => args.run(context),
        }
    }
}
