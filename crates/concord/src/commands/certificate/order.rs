//! `concord certificate order`

use super::Run;
use super::known::moment;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_controller::Method;
use concord_web::wire::{CERTIFICATE, OrderOutcome, OrderRequest, Wish};

/// Order the certificate of [acme] if there is none, or if it lacks a name
///
/// The component web does it and answers when it is done, which takes the authority seconds to
/// minutes. Services use the certificate within ten seconds, without a restart.
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        wish(context, Wish::Order)
    }
}

/// Asks the web service, and prints what came of it.
pub fn wish(context: &Context, wish: Wish) -> Result<(), Failure> {
    let web = context.web()?;
    let request = OrderRequest { wish };
    let outcome: OrderOutcome =
        context.block_on(async { web.send(Method::POST, CERTIFICATE, &request).await })?;
    if context.json {
        print::json(&outcome);
        return Ok(());
    }
    if outcome.ordered {
        let serial = outcome.serial.unwrap_or_default();
        let until = outcome.not_after.map(moment).unwrap_or_default();
        print::line(format_args!(
            "a certificate for {} is in its place: serial {serial}, until {until}",
            outcome.names.join(", ")
        ));
    } else {
        let due = outcome.due.map(moment).unwrap_or_default();
        print::line(format_args!(
            "nothing was ordered: the certificate is good, and renewed from {due} on"
        ));
    }
    Ok(())
}
