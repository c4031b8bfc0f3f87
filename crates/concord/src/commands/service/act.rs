//! `concord service start`, `stop` and `restart`

use super::status;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_controller::{ServiceStatus, Verb};
use concord_controller::machine::State;

/// Acts on one service.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service
    name: String,
}

/// Says which services rest because of this one; a start does not bring them back.
fn at_rest_too(name: &str, all: &[ServiceStatus]) {
    let needs_it = |s: &&ServiceStatus| s.depends_on.iter().any(|d| d == name);
    for other in all.iter().filter(needs_it).filter(|s| s.state == State::Stopped) {
        print::line(format_args!(
            "{0}, which depends on it, is stopped; 'concord service start {0}' starts both",
            other.name
        ));
    }
}

impl Args {
    /// Asks for it and waits until the service is ready, stopped or failed.
    pub fn run(self, verb: Verb, context: &Context) -> Result<(), Failure> {
        let control = context.control()?;
        let service = context.block_on(async { control.act(&self.name, verb).await })?;
        status::show(&service, context.json);
        if !context.json {
            let all = context.block_on(async { control.list().await })?;
            at_rest_too(&service.name, &all);
        }
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
