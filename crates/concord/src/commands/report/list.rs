//! `concord report list`

use super::service;
use crate::commands::Run;
use crate::context::Context;
use crate::failure::Failure;
use concord_internet_mail::ReportsRequest;

/// List the reports that wait to be sent, and the figures of today
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let lines = service::ask(context, ReportsRequest::List)?;
        service::show(context, &lines, "nothing was counted, and nothing waits");
        Ok(())
    }
}
