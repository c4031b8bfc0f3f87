//! The command line. Manual pages and completions come from the same source.

use crate::commands::Command;
use crate::failure::EXIT_CODES;
use clap::Parser;
use std::path::PathBuf;

/// Concord, a messaging server.
#[derive(Debug, Parser)]
#[command(name = "concord", version = crate::release::VERSION, after_help = EXIT_CODES, disable_help_subcommand = true)]
#[command(propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// The directory that holds everything of one server [default: $CONCORD_ROOT, else
    /// /var/lib/concord for root and ~/.local/share/concord for others]
    #[arg(long, global = true, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}
