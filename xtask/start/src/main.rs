//! What `cargo xtask` starts: builds xtask and becomes it.
//!
//! `cargo run --package xtask` would choose features for xtask alone, and so
//! compile most dependencies once for it and once more for everything else.
//! This has none, and builds xtask as a member of the whole workspace.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Some(root) = own.ancestors().nth(2) else {
        return failed("this crate is not where it was built");
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.current_dir(root).args(["build", "--quiet", "--workspace", "--bin", "xtask"]);
    for (name, _) in std::env::vars_os() {
        // What cargo says of this crate is not for the next cargo.
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            build.env_remove(&name);
        }
    }
    match build.status() {
        Ok(status) if status.success() => {}
        Ok(status) => return failed(&format!("xtask was not built: {status}")),
        Err(cause) => return failed(&format!("cargo cannot be started: {cause}")),
    }
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let program = target.join("debug/xtask");
    let cause = Command::new(&program).args(std::env::args_os().skip(1)).exec();
    failed(&format!("{} cannot be started: {cause}", program.display()))
}

fn failed(why: &str) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::FAILURE
}
