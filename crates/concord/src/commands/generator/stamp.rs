//! `concord generator stamp`

use crate::commands::Run;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_admin_api::wire::Stamped;
use concord_controller::Method;

/// Give every mailbox the addresses that it lacks; may be said again
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let admin = context.admin()?;
        let done: Stamped =
            context.block_on(admin.act(Method::POST, "/v1/generators/stamp"))?;
        if context.json {
            print::json(&done);
        } else {
            for failed in &done.failed {
                print::line(format!("{}: {}", failed.mailbox, failed.cause));
            }
            print::line(format!(
                "{} mailboxes stamped, {} had every address already",
                done.stamped, done.already
            ));
        }
        if done.failed.is_empty() {
            return Ok(());
        }
        Err(Failure::new(
            "cli.not-stamped",
            format!(
                "cannot give an address to {} mailboxes; change their names or the rule with \
                 'concord generator set'",
                done.failed.len()
            ),
        ))
    }
}
