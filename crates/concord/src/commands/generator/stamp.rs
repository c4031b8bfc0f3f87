//! `concord generator stamp`

use super::work::{self, Work};
use crate::commands::Run;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_admin_api::wire::Stamped;

/// Give every mailbox the addresses that it lacks; may be said again
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let admin = context.admin()?;
        let mut work = Work::<Stamped>::new(context);
        let each = |news| work.take(news);
        let asked = context.block_on(admin.lines("/v1/generators/stamp?progress=true", each));
        let done = work.end(asked)?;
        if context.json {
            print::json(&done);
        } else {
            work::tell(&done.failed);
            print::line(format_args!(
                "{} mailboxes stamped, {} had every address already",
                done.stamped, done.already
            ));
        }
        work::all_have_one(done.failed.len() as u64)
    }
}
