//! `concord setup`: install, add, remove, plan, repair.

pub mod answers;
mod component;
pub mod install;
mod internal;
mod mail;
mod plan;
mod remove;
pub mod run;
mod wizard;

use super::Run;
use crate::context::Context;
use crate::failure::Failure;

/// Install, add, remove and repair
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    Install(Box<install::Args>),
    Mail(Box<mail::Args>),
    Add(component::Add),
    Remove(remove::Args),
    Enable(component::Enable),
    Disable(component::Disable),
    Plan(plan::Args),
    Repair(plan::Repair),
    Settle(internal::Settle),
    #[command(hide = true)]
    Facts(internal::Facts),
    #[command(hide = true)]
    Migrate(internal::Migrate),
    #[command(hide = true)]
    Rehearse(internal::Rehearse),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Install(args) => args.run(context),
            Self::Mail(args) => args.run(context),
            Self::Add(args) => args.run(context),
            Self::Remove(args) => args.run(context),
            Self::Enable(args) => args.run(context),
            Self::Disable(args) => args.run(context),
            Self::Plan(args) => args.run(context),
            Self::Repair(args) => args.run(context),
            Self::Settle(args) => args.run(context),
            Self::Facts(args) => args.run(context),
            Self::Migrate(args) => args.run(context),
            Self::Rehearse(args) => args.run(context),
        }
    }
}
