//! The cut points in the process: the test of the crate, with its lines shown.

use crate::workspace::{cargo, shown};
use concord_testkit::{Result, trouble};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

/// The test that has them all.
const TEST: &str = "every_cut_of_every_verb_ends_old_or_new";
/// Files that are in memory only.
const MEMORY: &str = "/dev/shm";
/// What stands before the sum in its output.
const SUM: &str = "cut points: ";

/// Runs it; gives back how many points there are.
pub fn run(release: bool) -> Result<u64> {
    let mut test = cargo();
    test.args(["test", "--quiet", "--package", "concord-setup", "--test", "cuts"]);
    if release {
        test.arg("--release");
    }
    test.args(["--", "--exact", TEST, "--no-capture"]);
    // The process is cut there, not the machine: what a sync costs proves nothing.
    if Path::new(MEMORY).is_dir() && std::env::var_os("TMPDIR").is_none() {
        test.env("TMPDIR", MEMORY);
    }
    let line = shown(&test);
    let mut child = test.stdout(Stdio::piped()).spawn()?;
    let mut points = None;
    if let Some(stdout) = child.stdout.take() {
        for text in BufReader::new(stdout).lines() {
            let text = text?;
            println!("{text}");
            points = text.strip_prefix(SUM).and_then(|n| n.trim().parse().ok()).or(points);
        }
    }
    let status = child.wait()?;
    if !status.success() {
        return Err(trouble(format!("'{line}' ended with {status}")));
    }
    points.ok_or_else(|| trouble(format!("'{line}' says no '{SUM}'")))
}
