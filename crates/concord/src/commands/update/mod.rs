//! `concord update`

mod apply;
mod check;
mod offer;
mod trust;

use super::Run;
use crate::context::Context;
use crate::failure::Failure;
use concord_setup::host::Host;
use concord_setup::survey::Survey;
use std::path::Path;

/// Check and apply releases
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    Check(check::Args),
    Apply(apply::Args),
    Trust(trust::Args),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Check(args) => args.run(context),
            Self::Apply(args) => args.run(context),
            Self::Trust(args) => args.run(context),
        }
    }
}

/// The program files of what is installed, checked and staged, so that a repair
/// can put them back.
pub(super) fn stage_again(host: &Host, survey: &Survey, file: &Path) -> Result<(), Failure> {
    if file.extension().is_some_and(|ending| ending == "ccp") {
        return super::connector::install::stage_again(host, survey, file);
    }
    let offer = offer::Offer::open(host, file)?;
    let registry = survey.installed(host)?;
    if offer.offered.version != registry.current {
        return Err(Failure::new(
            "update.other-version",
            format!(
                "cannot repair from {}: it is {}, installed is {}",
                file.display(),
                offer.offered.version,
                registry.current
            ),
        ));
    }
    offer.stage(host)
}
