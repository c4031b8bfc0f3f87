//! `concord setup plan` and `concord setup repair`

use super::Run;
use super::run::{Manner, Question, verb};
use crate::context::Context;
use crate::failure::Failure;
use crate::release;
use concord_setup::Plan;
use concord_setup::host::Host;
use concord_setup::survey::Survey;
use concord_setup::verb::repair;

/// Show what differs from what is installed; exit code 2 if anything does
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Show every step
    #[arg(long, short)]
    verbose: bool,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let manner = Manner { dry_run: true, yes: false, verbose: self.verbose };
        verb(context, manner, Question::None, "setup plan", plan)
    }
}

fn plan(host: &Host, survey: &Survey) -> Result<Plan, Failure> {
    let program = host.system.own_program()?;
    Ok(repair::plan_by(host, survey, &release::facts(), &program)?)
}

/// Make the machine as it is installed: files, links, services, directory objects
///
/// Where the program is kept by somebody else, as by a Debian package, and is another one now,
/// it is taken over: the index is migrated, and a unit that runs starts again.
#[derive(Debug, clap::Args)]
pub struct Repair {
    /// Take missing or changed program files from this bundle (.bundle) or package (.ccp)
    #[arg(long, value_name = "FILE")]
    from: Option<std::path::PathBuf>,
    #[command(flatten)]
    manner: Manner,
}

impl Run for Repair {
    fn run(self, context: &Context) -> Result<(), Failure> {
        verb(context, self.manner, Question::None, "setup repair", |host, survey| {
            if let Some(from) = &self.from {
                crate::commands::update::stage_again(host, survey, from)?;
            }
            plan(host, survey)
        })
    }
}
