//! `cargo xtask bench sync`: what runs of directory synchronisation take.

use crate::workspace::{cargo, shown};
use concord_testkit::{Result, trouble};
use std::process::Stdio;

/// The measurement is a test, beside those that use the same parts.
const TEST: [&str; 4] = ["--ignored", "--nocapture", "--exact", "measure::ten_thousand_each_way"];

/// Measures and prints the table.
pub fn run() -> Result<()> {
    let mut test = cargo();
    test.args(["test", "--release", "--package", "concord-admin-api", "--test", "sync", "--"]);
    test.args(TEST).stderr(Stdio::inherit());
    let line = shown(&test);
    let done = test.output().map_err(|e| trouble(format!("cannot run {line}: {e}")))?;
    let told = String::from_utf8_lossy(&done.stdout);
    if !done.status.success() {
        return Err(trouble(format!("'{line}' ended with {}:\n{told}", done.status)));
    }
    let table: Vec<&str> = told.lines().filter(|line| line.starts_with('|')).collect();
    if table.is_empty() {
        return Err(trouble(format!("'{line}' measured nothing:\n{told}")));
    }
    println!("{}", table.join("\n"));
    Ok(())
}
