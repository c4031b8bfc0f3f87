//! `concord down`

use super::Run;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_controller::ClientError;
use std::time::Duration;

/// How often the end of the controller is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Stop the controller and every service, in order
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let control = context.control()?;
        context.block_on(async {
            control.shutdown().await?;
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                match control.list().await {
                    Ok(_) | Err(ClientError::Broken(_) | ClientError::Refused { .. }) => {}
                    Err(ClientError::NotRunning { .. }) => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
        })?;
        if context.json {
            print::json(&serde_json::json!({ "state": "stopped" }));
        } else {
            print::line("stopped");
        }
        Ok(())
    }
}
