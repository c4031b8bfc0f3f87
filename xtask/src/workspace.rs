//! Where things are, and cargo.

use concord_testkit::{Result, trouble};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace's directory.
pub fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}

/// A program that starts in the workspace.
pub fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root());
    command
}

/// The cargo that runs us.
pub fn cargo() -> Command {
    let name = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = program(&name);
    // What cargo sets for us is not for the next cargo.
    for (name, _) in std::env::vars() {
        if name.starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
            command.env_remove(name);
        }
    }
    command
}

/// Runs it with its output on ours; anything but exit code 0 is an error.
pub fn must(command: &mut Command) -> Result<()> {
    let line = shown(command);
    let status = command.status().map_err(|e| trouble(format!("cannot run {line}: {e}")))?;
    if status.success() { Ok(()) } else { Err(trouble(format!("'{line}' ended with {status}"))) }
}

/// A command as one would type it.
pub fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| {
            let path = Path::new(word);
            let name = if path.is_absolute() { path.file_name().unwrap_or(word) } else { word };
            name.to_string_lossy().into_owned()
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// Builds the server and gives back where the executable is.
pub fn build_concord(release: bool) -> Result<PathBuf> {
    build_program(release, None, None)
}

/// As [`build_concord`], with features, and as the given version.
pub fn build_program(
    release: bool,
    features: Option<&str>,
    version: Option<&str>,
) -> Result<PathBuf> {
    let mut build = cargo();
    build.args(["build", "--bin", "concord"]).args(scope(release));
    if let Some(features) = features {
        build.args(["--features", &format!("concord/{features}")]);
    }
    if let Some(version) = version {
        build.env("CONCORD_RELEASE", version);
    }
    must(&mut build)?;
    let profile = if release { "release" } else { "debug" };
    Ok(target().join(profile).join("concord"))
}

/// What a build of the server chooses features for: a release for itself, a
/// build for tests for the whole workspace, so that it shares what they compile.
pub fn scope(release: bool) -> &'static [&'static str] {
    if release { &["--package", "concord", "--release"] } else { &["--workspace"] }
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Compiles a preloaded layer from its C source; gives back the library.
pub fn build_layer(source: &str) -> Result<PathBuf> {
    let name = Path::new(source).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let directory = target().join("layers");
    std::fs::create_dir_all(&directory)?;
    let library = directory.join(format!("{name}.so"));
    must(
        program("cc")
            .args(["-O2", "-Wall", "-shared", "-fPIC", "-o"])
            .arg(&library)
            .arg(root().join(source))
            .args(["-ldl", "-lpthread"]),
    )?;
    Ok(library)
}
