//! `concord config reference`

use super::Run;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;

/// Print the manual's page of settings, in Markdown
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Run for Args {
    fn run(self, _context: &Context) -> Result<(), Failure> {
        print::text(&concord_settings::reference());
        Ok(())
    }
}
