//! `concord config example`

use super::Run;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_settings::Preset;

/// Print the configuration file with every key, its meaning and its default
#[derive(Debug, clap::Args)]
pub struct Args {
    /// With the values of a demonstration
    #[arg(long)]
    demo: bool,
}

impl Run for Args {
    fn run(self, _context: &Context) -> Result<(), Failure> {
        let preset = if self.demo { Preset::Demo } else { Preset::Example };
        print::text(&concord_settings::example(preset));
        Ok(())
    }
}
