//! `cargo xtask next`: the same sources as a newer release, for exercising
//! updates: another version, and one more migration of the index.

use crate::workspace::{cargo, must, program, scope, target};
use concord_testkit::{Result, tool};
use std::path::PathBuf;

/// The version that it says; any that is newer than the workspace's.
const VERSION: &str = "99.0.0";

/// Builds it into `target/debug/next/concord` (or `release`).
pub fn run(release: bool) -> Result<PathBuf> {
    let mut build = cargo();
    build.args(["build", "--quiet", "--bin", "concord"]).args(scope(release));
    build.args(["--features", "concord/schema-exercise"]).env("CONCORD_RELEASE", VERSION);
    must(&mut build)?;
    let profile = target().join(if release { "release" } else { "debug" });
    let directory = profile.join("next");
    std::fs::create_dir_all(&directory)?;
    let file = directory.join("concord");
    // A bundle of a hundred megabytes of debugging facts takes its time.
    let draft = directory.join("draft");
    std::fs::copy(profile.join("concord"), &draft)?;
    if tool("strip").is_some() {
        must(program("strip").args(["--strip-debug"]).arg(&draft))?;
    }
    std::fs::rename(&draft, &file)?;
    Ok(file)
}
