//! `cargo xtask test`: everything that must pass.

use crate::workspace::{build_concord, cargo, must, target};
use crate::{deb, kb, layers, next, packages, peers};
use clap::Args;
use concord_testkit::{Machine, Result, debian_tree, tool};
use std::time::Instant;

#[derive(Args)]
pub struct Options {
    /// Do not install Debian packages that are missing.
    #[arg(long)]
    no_install: bool,
    /// Leave formatting and clippy out.
    #[arg(long)]
    no_lint: bool,
    /// Leave the scenarios with the real executable and its peers out.
    #[arg(long)]
    no_scenarios: bool,
    /// Only tests whose name has this text.
    filter: Option<String>,
}

/// Runs the parts in the order in which they fail fastest.
pub fn run(options: &Options) -> Result<()> {
    if !options.no_install && !options.no_scenarios {
        step("packages", || {
            packages::install(packages::FOR_TESTS)?;
            packages::install(packages::DOVECOT)?;
            peers::fetch()
        })?;
    }
    step("layers", layers::run)?;
    step("kb", kb::run)?;
    if !options.no_lint {
        step("formatting", || must(cargo().args(["fmt", "--all", "--check"])))?;
        step("clippy", || {
            let strict = ["--", "-D", "warnings"];
            must(cargo().args(["clippy", "--workspace", "--all-targets", "--quiet"]).args(strict))
        })?;
    }
    // The scenarios start the executables; they do not build them. The newer one
    // first: both have the same name in the build directory.
    if !options.no_scenarios {
        step("next release", || next::run(false).map(|_| ()))?;
    }
    step("executable", || build_concord(false).map(|_| ()))?;
    if !options.no_scenarios {
        step("machines", machines)?;
    }
    // Last, so that the runner's own closing lines are the last ones.
    tests(options)
}

/// What the scenarios with machines of their own install there; their tree is
/// fetched now, so that no test waits for it.
fn machines() -> Result<()> {
    if let Some(missing) = Machine::missing() {
        println!("scenarios with machines are skipped: {missing}");
        return Ok(());
    }
    debian_tree()?;
    let here = target().join("debug");
    deb::for_tests(&[here.join("concord"), here.join("next/concord")])
}

fn step(name: &str, act: impl FnOnce() -> Result<()>) -> Result<()> {
    let start = Instant::now();
    act().map_err(|e| e.during(name))?;
    println!("== {name}: {:.0?}", start.elapsed());
    Ok(())
}

fn tests(options: &Options) -> Result<()> {
    let mut run = cargo();
    let nextest = tool("cargo-nextest").is_some();
    if nextest {
        run.args(["nextest", "run", "--no-fail-fast"]);
    } else {
        println!("cargo-nextest is not installed; cargo test runs the tests, one crate at a time");
        run.args(["test", "--no-fail-fast"]);
    }
    run.arg("--workspace");
    if options.no_scenarios {
        run.args(["--exclude", "concord-tests"]);
    }
    run.args(&options.filter);
    must(&mut run)
}
