//! `concord directory`: many recipients at once.

mod export;
mod format;
mod import;
mod ldif;
mod report;

use super::Run;
use crate::context::Context;
use crate::failure::Failure;

/// Import and export recipients as a table (CSV) or as LDIF
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    Export(export::Args),
    Import(import::Args),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Export(args) => args.run(context),
            Self::Import(args) => args.run(context),
        }
    }
}

/// Requests to the core at once: they share its syncs.
const TOGETHER: usize = 32;
