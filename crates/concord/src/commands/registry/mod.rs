//! `concord registry`

mod edit;
mod export;
mod import;
mod restore;
mod show;
mod verify;

use super::Run;
use crate::context::Context;
use crate::failure::Failure;
use concord_registry::{Database, Registry};
use concord_setup::Layout;

/// Show, export, edit, check and restore what is known of this installation
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    Show(show::Args),
    Export(export::Args),
    Import(import::Args),
    Edit(edit::Args),
    Verify(verify::Args),
    Restore(restore::Args),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Show(args) => args.run(context),
            Self::Export(args) => args.run(context),
            Self::Import(args) => args.run(context),
            Self::Edit(args) => args.run(context),
            Self::Verify(args) => args.run(context),
            Self::Restore(args) => args.run(context),
        }
    }
}

fn database(context: &Context) -> Result<Database, Failure> {
    Ok(Database::new(Layout::new(context.root()?).registry()))
}

fn load(context: &Context) -> Result<Registry, Failure> {
    let root = context.root()?;
    database(context)?.load()?.ok_or_else(|| {
        concord_setup::SetupError::NotInstalled(root.path().to_owned()).into()
    })
}
