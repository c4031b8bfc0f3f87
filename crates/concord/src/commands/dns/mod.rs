//! `concord dns`: which records our domains need, and whether they are there.

pub mod check;
pub mod facts;
mod records;

use super::Run;
use crate::context::Context;
use crate::failure::Failure;

/// Print the DNS records that our mail domains need, and compare the world with them
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    Records(records::Args),
    Check(Box<check::Args>),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Records(args) => args.run(context),
            Self::Check(args) => args.run(context),
        }
    }
}

pub use records::show as show_records;
