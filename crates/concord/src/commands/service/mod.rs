//! `concord service`: what the controller runs.

mod act;
mod list;
mod logs;
mod reload;
mod status;

use super::Run;
use crate::context::Context;
use crate::failure::Failure;
use concord_controller::Verb;

/// List, look at, start, stop and restart services
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    List(list::Args),
    Status(status::Args),
    /// Start a service and what it depends on
    Start(act::Args),
    /// Stop a service after what depends on it; its listeners close
    Stop(act::Args),
    /// Stop a service and start it again; no connection is refused meanwhile
    Restart(act::Args),
    Logs(logs::Args),
    Reload(reload::Args),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List(args) => args.run(context),
            Self::Status(args) => args.run(context),
            Self::Start(args) => args.run(Verb::Start, context),
            Self::Stop(args) => args.run(Verb::Stop, context),
            Self::Restart(args) => args.run(Verb::Restart, context),
            Self::Logs(args) => args.run(context),
            Self::Reload(args) => args.run(context),
        }
    }
}
