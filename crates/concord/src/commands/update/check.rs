//! `concord update check`

use super::Run;
use super::offer::Offer;
use crate::commands::setup::run::host;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_setup::survey::Survey;
use concord_setup::verb::update;
use std::cmp::Ordering;
use std::path::PathBuf;

/// Check a bundle: signature, age, platform, and whether it can be applied here
///
/// Exit code 0: nothing newer, 2: it can be applied, 1: it cannot, with every reason.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The bundle
    bundle: PathBuf,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let host = host(&context.root()?);
        let survey = Survey::take(&host)?;
        let current = survey.installed(&host)?.current.clone();
        let offer = Offer::open(&host, &self.bundle)?;
        let refusals = update::refusals(&host, &survey, &offer.offered)?;
        let newer = offer.offered.order == Ordering::Greater;
        if context.json {
            print::json(&serde_json::json!({
                "installed": current,
                "offered": offer.offered.version,
                "newer": newer,
                "refusals": refusals,
            }));
        } else {
            print::line(format_args!("installed {current}, offered {}", offer.offered.version));
        }
        if offer.offered.order == Ordering::Equal {
            return Ok(());
        }
        if !refusals.is_empty() {
            return Err(concord_setup::SetupError::Refused {
                verb: "apply this bundle".to_owned(),
                refusals,
            }
            .into());
        }
        Err(Failure::pending())
    }
}
