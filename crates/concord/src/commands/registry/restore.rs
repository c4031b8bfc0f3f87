//! `concord registry restore`

use super::{Run, database};
use crate::commands::setup::run::{Manner, Question, verb};
use crate::context::Context;
use crate::failure::Failure;
use crate::release;
use concord_setup::verb::registry;

/// Put an earlier state back: the copy of the newest, a revision, or what the machine shows
#[derive(Debug, clap::Args)]
pub struct Args {
    /// This revision (see 'registry show --history')
    #[arg(long, value_name = "NUMBER", conflicts_with = "from_machine")]
    revision: Option<i64>,
    /// Made anew from service records, releases and packages that are there
    #[arg(long)]
    from_machine: bool,
    #[command(flatten)]
    manner: Manner,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let verb_name = "registry restore";
        verb(context, self.manner, Question::BeforeRemoving, verb_name, |host, survey| {
            let registry = if self.from_machine {
                registry::from_machine(host, survey, &release::facts())?
            } else if let Some(number) = self.revision {
                database(context)?.revision(number)?
            } else {
                database(context)?.load_copy()?.ok_or_else(|| {
                    Failure::new(
                        "registry.no-copy",
                        "cannot restore the registry: there is no copy; give --revision or \
                         --from-machine",
                    )
                })?
            };
            Ok(registry::plan_store(survey, &registry, verb_name)?)
        })
    }
}
