//! `concord queue`: messages that wait.

mod act;
mod ask;
mod filter;
mod list;
mod show;
mod start;

use super::Run;
use crate::context::Context;
use crate::failure::Failure;
use concord_admin_api::wire::ActName;

/// List, look at and act on messages that wait in the queue
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    List(list::Args),
    Show(show::Args),
    /// Try messages again now; their retry schedule starts anew
    Retry(act::Args),
    /// Keep messages back until they are released
    Hold(act::Args),
    /// Let held or quarantined messages go; their crashes are forgotten
    Release(act::Args),
    /// Return messages to their senders with a failure report
    Return(act::Args),
    /// Delete messages; nobody is told
    Delete(act::Args),
    Start(start::Args),
    Ask(ask::Args),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List(args) => args.run(context),
            Self::Show(args) => args.run(context),
            Self::Retry(args) => args.run(ActName::Retry, context),
            Self::Hold(args) => args.run(ActName::Hold, context),
            Self::Release(args) => args.run(ActName::Release, context),
            Self::Return(args) => args.run(ActName::Return, context),
            Self::Delete(args) => args.run(ActName::Delete, context),
            Self::Start(args) => args.run(context),
            Self::Ask(args) => args.run(context),
        }
    }
}
