//! `concord report`: aggregate reports of DMARC and SMTP TLS.

mod list;
mod send;
mod service;
mod show;

use super::Run;
use crate::context::Context;
use crate::failure::Failure;

/// Look at aggregate reports of DMARC and SMTP TLS, ours and those of others
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    List(list::Args),
    Send(send::Args),
    Show(show::Args),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List(args) => args.run(context),
            Self::Send(args) => args.run(context),
            Self::Show(args) => args.run(context),
        }
    }
}
