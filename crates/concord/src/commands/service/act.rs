//! `concord service start`, `stop` and `restart`

use super::status;
use crate::context::Context;
use crate::failure::Failure;
use concord_controller::Verb;
use concord_controller::machine::State;

/// Acts on one service.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service
    name: String,
}

impl Args {
    /// Asks for it and waits until the service is ready, stopped or failed.
    pub fn run(self, verb: Verb, context: &Context) -> Result<(), Failure> {
        let control = context.control()?;
        let service = context.block_on(async { control.act(&self.name, verb).await })?;
        status::show(&service, context.json);
        if verb != Verb::Stop && service.state == State::Failed {
            let cause = service.last_exit.as_deref().unwrap_or("its crash budget is used up");
            let (verb, name) = (verb.as_str(), &service.name);
            return Err(Failure::new(
                "service.failed",
                format!("cannot {verb} {name}: {cause}; read 'concord service logs {name}'"),
            ));
        }
        Ok(())
    }
}
