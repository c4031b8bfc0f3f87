//! `concord rollback`

use super::Run;
use super::setup::run::{Manner, Question, verb};
use crate::context::Context;
use crate::failure::Failure;
use concord_setup::verb::rollback;

/// Go back to the release before the last update; mail that came since stays
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    manner: Manner,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        verb(context, self.manner, Question::BeforeRemoving, "rollback", |host, survey| {
            Ok(rollback::plan(host, survey)?)
        })
    }
}
