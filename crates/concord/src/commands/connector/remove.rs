//! `concord connector remove`

use super::Run;
use crate::commands::setup::run::{Manner, Question, verb};
use crate::context::Context;
use crate::failure::Failure;
use concord_setup::host::ObjectKey;
use concord_setup::verb::connector;
use concord_setup::{Plan, Step};

/// Remove an external connector: its service, files, directory object, and what nobody else needs
///
/// What waits for it is routed to others, or waits until it is installed again or expires.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name
    name: String,
    /// Only take its object out of the directory, for a connector that is not installed here
    #[arg(long)]
    object: bool,
    #[command(flatten)]
    manner: Manner,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let question = Question::BeforeRemoving;
        verb(context, self.manner, question, "connector remove", |host, survey| {
            if !self.object {
                return Ok(connector::plan_remove(host, survey, &self.name)?);
            }
            if survey.known().is_some_and(|r| r.components.contains_key(&self.name)) {
                return Err(Failure::usage(
                    "cli.connector-object",
                    format!("cannot take only the object of '{0}': it is installed; leave --object out", self.name),
                ));
            }
            let mut plan = Plan::new("connector remove --object");
            let key = ObjectKey::Connector(self.name.clone());
            if survey.directory.as_ref().is_some_and(|d| d.object(&key).is_some()) {
                plan.change("remove", format!("connector object {}", self.name), "it was asked for");
                plan.step(Step::RemoveObject { key });
            }
            Ok(plan)
        })
    }
}
