//! `concord completions`

use super::Run;
use crate::cli::Cli;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use clap::CommandFactory;
use clap_complete::Shell;

/// Print the completion script for a shell
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    shell: Shell,
}

impl Run for Args {
    fn run(self, _context: &Context) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "concord", &mut script);
        print::text(&String::from_utf8_lossy(&script));
        Ok(())
    }
}
