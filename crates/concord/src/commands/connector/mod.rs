//! `concord connector`: the ways to other mail systems.

mod add;
pub(super) mod install;
mod keygen;
mod list;
mod pack;
mod remove;
mod set;
mod show;
mod switch;
mod sync;
mod test;

use super::Run;
use super::object::Named;
use crate::context::Context;
use crate::failure::Failure;

/// List, show and change connectors to other mail systems
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    Add(add::Args),
    Install(install::Args),
    Remove(remove::Args),
    Pack(pack::Args),
    Keygen(keygen::Args),
    List(list::Args),
    Show(show::Args),
    Set(set::Args),
    Test(test::Args),
    Sync(sync::Args),
    /// Have a connector carry mail
    Enable(Named),
    /// Have a connector carry no mail; what waits for it goes to others, or waits
    Disable(Named),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Add(args) => args.run(context),
            Self::Test(args) => args.run(context),
            Self::Sync(args) => args.run(context),
            Self::Install(args) => args.run(context),
            Self::Remove(args) => args.run(context),
            Self::Pack(args) => args.run(context),
            Self::Keygen(args) => args.run(context),
            Self::List(args) => args.run(context),
            Self::Show(args) => args.run(context),
            Self::Set(args) => args.run(context),
            Self::Enable(which) => switch::run(&which.name, true, context),
            Self::Disable(which) => switch::run(&which.name, false, context),
        }
    }
}
