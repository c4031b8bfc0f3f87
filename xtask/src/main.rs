//! Developer commands: `cargo xtask <command>`.
//!
//! Each command is one file. They use the toolchain and Debian's packages, and
//! write nothing outside `target/`, `fuzz/` and scratch directories but what
//! they are asked to.

mod bench;
mod bundle;
mod deb;
mod fuzz;
mod goods;
mod kb;
mod layers;
mod next;
mod packages;
mod peers;
mod product;
mod storm;
mod test;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(about = "Developer commands of Concord", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything that must pass: layers, kb, formatting, clippy, all tests.
    Test(test::Options),
    /// Checks that dependencies between our crates only point down.
    Layers,
    /// Checks that every row of the knowledge base table has its evidence.
    Kb,
    /// Fuzzes the parsers that are our own.
    Fuzz(fuzz::Options),
    /// Exchanges 500 messages under DANE and MTA-STS with each of Postfix, Exim and OpenSMTPD.
    Peers(peers::Options),
    /// Breaks a loaded server on purpose and counts what was lost.
    #[command(subcommand)]
    Storm(storm::Storm),
    /// Makes a signed bundle of a release.
    Bundle(bundle::Options),
    /// Builds the same sources as a newer release, for exercising updates.
    Next {
        /// Build it for release.
        #[arg(long)]
        release: bool,
    },
    /// Makes a package for Debian.
    Deb(deb::Options),
    /// Measures: `smtp` and `imap` against Debian's Postfix and Dovecot (arguments go to
    /// concord-bench), `setup` what Setup's verbs take, `sync` runs of directory synchronisation, `nje` a link.
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Task::Test(options) => test::run(&options),
        Task::Layers => layers::run(),
        Task::Kb => kb::run(),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Peers(options) => peers::run(&options),
        Task::Storm(storm) => storm::run(&storm),
        Task::Bundle(options) => bundle::run(&options),
        Task::Next { release } => next::run(release).map(|file| println!("{}", file.display())),
        Task::Deb(options) => deb::run(&options),
        Task::Bench(options) => bench::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("error: {trouble}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_keeps_the_rules_of_clap() {
        Arguments::command().debug_assert();
    }
}
