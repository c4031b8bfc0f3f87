//! `cargo xtask bench`: builds what is measured for release, and measures.

mod nje;
mod setup;
mod sync;

use crate::packages;
use crate::workspace::{build_concord, build_layer, cargo, must, program, target};
use clap::{Args, Parser};
use concord_testkit::Result;

#[derive(Args)]
pub struct Options {
    /// `smtp`, `relay`, `queue`, `imap`, `ldap`, `setup`, `sync` or `nje`, then their options; `cargo xtask bench smtp --help` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    arguments: Vec<String>,
}

/// Measures Setup, synchronisation or NJE, or builds and hands over to `concord-bench`.
pub fn run(options: &Options) -> Result<()> {
    if options.arguments.first().is_some_and(|word| word == "setup") {
        return setup::run(&setup::Options::parse_from(&options.arguments));
    }
    if options.arguments.first().is_some_and(|word| word == "sync") {
        return sync::run();
    }
    if options.arguments.first().is_some_and(|word| word == "nje") {
        return nje::run();
    }
    packages::install(packages::FOR_BENCHES)?;
    packages::install(packages::DOVECOT)?;
    if options.arguments.first().is_some_and(|word| word == "ldap") {
        packages::install(packages::SLAPD)?;
    }
    let layer = build_layer("bench/shims/syncs.c")?;
    must(cargo().args(["build", "--release", "--package", "concord-bench"]))?;
    let concord = build_concord(true)?;
    let bench = target().join("release/concord-bench");
    must(
        program(&bench.display().to_string())
            .args(&options.arguments)
            .env("CONCORD_BIN", concord)
            .env("SYNC_LAYER", layer),
    )
}
