//! `concord man`

use super::Run;
use crate::cli::Cli;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use clap::CommandFactory;
use std::path::PathBuf;

/// Print the manual page, or write one page per command
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write concord.1, concord-up.1 and so on into this directory
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl Run for Args {
    fn run(self, _context: &Context) -> Result<(), Failure> {
        let failed = |e: std::io::Error| {
            Failure::new("cli.man", format!("cannot write the manual: {e}; give another directory with --output"))
        };
        if let Some(directory) = self.output {
            std::fs::create_dir_all(&directory).map_err(failed)?;
            return clap_mangen::generate_to(Cli::command(), directory).map_err(failed);
        }
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(failed)?;
        print::text(&String::from_utf8_lossy(&page));
        Ok(())
    }
}
