//! The concord executable: command line and service entry points.
//!
//! Thin: it parses, calls, and prints. One file per command under
//! `commands`; a service's entry point under `serve`.
//!
//! Invariants: what a command prints on stdout is its result and nothing
//! else; an error is one line (or list) on stderr, `concord: cannot ...`, and
//! an exit code of [`failure::Exit`].

mod acme;
mod api_key;
mod cli;
mod commands;
mod context;
mod editor;
mod failure;
mod print;
mod release;
mod serve;
mod services;
mod setup;

use clap::Parser;
use commands::Run;
use std::process::ExitCode;

/// glibc's allocator keeps what a password check or a burst took, per thread;
/// this one gives it back, so that memory follows the budget.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            // Help and version are no mistakes.
            return if error.use_stderr() {
                failure::Exit::Usage.code()
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let context = context::Context::new(&cli);
    match cli.command.run(&context) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print(context.json);
            failure.exit().code()
        }
    }
}
