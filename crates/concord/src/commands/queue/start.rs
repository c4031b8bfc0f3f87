//! `concord queue start`

use crate::commands::Run;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use clap::builder::NonEmptyStringValueParser;
use concord_admin_api::wire::{QueueStart, QueueStarted};
use concord_controller::Method;

/// Let mail go that waits until its domain asks for it by ETRN
///
/// What comes meanwhile goes too, until nothing waits any more or the domain's
/// hosts cannot be reached.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The domain
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    domain: String,
    /// Also mail of the domains below it
    #[arg(long)]
    below: bool,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let admin = context.admin()?;
        let body = QueueStart { domain: self.domain, below: self.below };
        let started: QueueStarted =
            context.block_on(admin.send(Method::POST, "/v1/queue-starts", &body))?;
        if context.json {
            print::json(&started);
            return Ok(());
        }
        let plural = if started.deliveries == 1 { "delivery" } else { "deliveries" };
        print::line(format!("{}: {} {plural} started", started.domain, started.deliveries));
        Ok(())
    }
}
