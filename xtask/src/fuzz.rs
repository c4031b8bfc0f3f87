//! `cargo xtask fuzz`: libFuzzer over the parsers that are our own.
//!
//! The instrumentation needs no nightly compiler: the coverage pass is behind
//! stable code generation flags, which the build below gives.

use crate::workspace::{cargo, must, program, root, target};
use clap::Args;
use concord_testkit::{Result, run as run_program, trouble};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// The names that `fuzz/src/main.rs` knows.
const TARGETS: &[&str] = &[
    "address",
    "bundle",
    "client-setup",
    "cms-names",
    "cms-netdata",
    "cms-notes",
    "dirsync",
    "ebcdic",
    "groupwise",
    "groupwise-api",
    "imap",
    "ldap",
    "mapping",
    "message",
    "message-log",
    "milter",
    "nje",
    "nje-blocks",
    "pop3",
    "proxy-protocol",
    "reputation",
    "rules",
    "sasl",
    "settings",
    "smtp",
    "transport-security",
];

/// What libFuzzer steers by: counters on every edge, and compared values.
const FLAGS: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Ccodegen-units=1 --cfg fuzzing";

/// An input that takes longer is a finding: parsers are linear.
const SLOW_INPUT_SECONDS: u32 = 10;
/// Long enough for nested structures, short enough to run thousands a second.
const MAX_INPUT: u32 = 16 * 1024;

#[derive(Args)]
pub struct Options {
    /// Seconds for each target.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// At most so many executions of each target.
    #[arg(long)]
    runs: Option<u64>,
    /// Only this target.
    target: Option<String>,
}

/// Builds the fuzzer, runs the targets, prints executions for each.
pub fn run(options: &Options) -> Result<()> {
    let chosen: Vec<&str> = match &options.target {
        Some(name) => {
            let found = TARGETS.iter().find(|t| *t == name);
            vec![*found.ok_or_else(|| trouble(format!("targets are {}", TARGETS.join(", "))))?]
        }
        None => TARGETS.to_vec(),
    };
    let fuzzer = build(options.target.as_deref())?;
    let mut failed = Vec::new();
    println!("| target | seconds | executions | per second | corpus |");
    println!("|---|---|---|---|---|");
    for name in chosen {
        if !fuzz(&fuzzer, name, options)? {
            failed.push(name);
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(trouble(format!("{} failed; the inputs are in fuzz/artifacts", failed.join(", "))))
}

/// The parsers' crate of a target: a feature of the fuzzer.
fn feature(target: &str) -> &str {
    match target {
        "nje-blocks" => "nje",
        target if target.starts_with("cms-") => "cms-mail",
        target => target,
    }
}

fn build(target_name: Option<&str>) -> Result<PathBuf> {
    let version = run_program(program("rustc").arg("-vV"), Duration::from_secs(30))?.ok()?;
    let host = version.stdout.lines().find_map(|l| l.strip_prefix("host: "));
    let host = host.ok_or_else(|| trouble("rustc does not name its host"))?;
    let directory = target().join("fuzz");
    // With --target the flags are not given to build scripts.
    let mut build = cargo();
    build.current_dir(root().join("fuzz")).args(["build", "--release", "--target", host]);
    build.arg("--target-dir").arg(&directory).env("RUSTFLAGS", FLAGS);
    if let Some(name) = target_name {
        build.args(["--no-default-features", "--features", feature(name)]);
    }
    must(&mut build)?;
    Ok(directory.join(host).join("release/concord-fuzz"))
}

/// Runs one target; whether it held.
fn fuzz(fuzzer: &Path, name: &str, options: &Options) -> Result<bool> {
    let seconds = options.seconds;
    let base = root().join("fuzz");
    // What was found stays in target/, what people wrote is in fuzz/corpus.
    let found = target().join("fuzz-corpus").join(name);
    let written = base.join("corpus").join(name);
    let artifacts = base.join("artifacts").join(name);
    for directory in [&found, &written, &artifacts] {
        std::fs::create_dir_all(directory)?;
    }
    let mut command = program(&fuzzer.display().to_string());
    command
        .env("FUZZ_TARGET", name)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={SLOW_INPUT_SECONDS}"))
        .arg(format!("-max_len={MAX_INPUT}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args(["-print_final_stats=1", "-rss_limit_mb=2048"])
        .args([&found, &written])
        .stdin(Stdio::null());
    if let Some(runs) = options.runs {
        command.arg(format!("-runs={runs}"));
    }
    let limit = Duration::from_secs(u64::from(seconds) + 120);
    let done = run_program(&mut command, limit)?;
    let stat = |key: &str| {
        let line = done.stderr.lines().find_map(|l| l.strip_prefix(key));
        line.map_or_else(|| "?".to_owned(), |v| v.trim().to_owned())
    };
    let inputs = std::fs::read_dir(&found)?.count();
    println!(
        "| {name} | {seconds} | {} | {} | {inputs} |",
        stat("stat::number_of_executed_units:"),
        stat("stat::average_exec_per_sec:")
    );
    if done.code == Some(0) {
        return Ok(true);
    }
    let last: Vec<&str> = done.stderr.lines().rev().take(40).collect();
    for line in last.iter().rev() {
        eprintln!("{line}");
    }
    Ok(false)
}
