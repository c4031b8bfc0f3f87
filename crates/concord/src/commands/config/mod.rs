//! `concord config`: the configuration file.

mod apply;
mod check;
mod example;
mod export;
mod reference;

use super::Run;
use crate::context::Context;
use crate::failure::Failure;

/// Check, explain, export and apply the configuration
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    Check(check::Args),
    Export(export::Args),
    Apply(apply::Args),
    Example(example::Args),
    Reference(reference::Args),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Export(args) => args.run(context),
            Self::Apply(args) => args.run(context),
            Self::Check(args) => args.run(context),
            Self::Example(args) => args.run(context),
            Self::Reference(args) => args.run(context),
        }
    }
}
