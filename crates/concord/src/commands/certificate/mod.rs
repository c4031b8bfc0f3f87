//! `concord certificate`: what services show, and the certification authority.

mod check;
mod known;
mod list;
mod order;
mod renew;
mod show;

use super::Run;
use crate::context::Context;
use crate::failure::Failure;

/// List, look at, order and renew the server's certificate
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    List(list::Args),
    Show(show::Args),
    Order(order::Args),
    Renew(renew::Args),
    Check(check::Args),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List(args) => args.run(context),
            Self::Show(args) => args.run(context),
            Self::Order(args) => args.run(context),
            Self::Renew(args) => args.run(context),
            Self::Check(args) => args.run(context),
        }
    }
}
