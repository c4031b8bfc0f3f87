//! `concord store compact`

use super::news;
use crate::commands::Run;
use crate::context::Context;
use crate::failure::Failure;

/// Give the room of removed messages back; needs a running core
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match news::online("/v1/store/compact", context)? {
            Some(report) => report.print(context),
            None => Err(Failure::not_running(
                "store.core-not-running",
                "cannot compact: the core does not run; start it with 'concord up', or with \
                 'concord service start core' if only it was stopped",
            )),
        }
    }
}
