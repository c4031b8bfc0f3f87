//! `concord report send`

use super::service;
use crate::commands::Run;
use crate::context::Context;
use crate::failure::Failure;
use concord_internet_mail::{ReportState, ReportsRequest};

/// Send the reports of days that are over now, instead of in the night
///
/// Those of today are sent when the day is over. Each report goes into the queue
/// as a message like any other; 'concord trace' follows it.
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let lines = service::ask(context, ReportsRequest::Send)?;
        service::show(context, &lines, "nothing is to be sent");
        let failed = lines.iter().filter(|line| line.state == ReportState::Waiting).count();
        if failed > 0 {
            let message =
                format!("cannot send {failed} of the reports: see above; they are tried again");
            return Err(Failure::new("report.not-sent", message));
        }
        Ok(())
    }
}
