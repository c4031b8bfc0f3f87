//! `concord service reload`

use super::Run;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;

/// Let the controller read service records and settings again; what changed is restarted
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let services = context.block_on(context.control()?.reload())?;
        if context.json {
            print::json(&services);
            return Ok(());
        }
        for service in services {
            print::line(format_args!("{:<14} {}", service.name, service.state));
        }
        Ok(())
    }
}
