//! What is shipped: the executable and what goes with it, laid out once for
//! bundles and for Debian.

use crate::workspace::{build_program, program, root};
use clap::Args;
use concord_bundle::ReleaseFacts;
use concord_testkit::{Result, run, tool, trouble};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The executable writes its pages in far less.
const PATIENCE: Duration = Duration::from_secs(60);
/// Completion scripts: the shell, and where distributions look for it.
const COMPLETIONS: &[(&str, &str)] = &[
    ("bash", "share/bash-completion/completions/concord"),
    ("zsh", "share/zsh/vendor-completions/_concord"),
    ("fish", "share/fish/vendor_completions.d/concord.fish"),
];
/// Below `share`, where man looks.
const MANUAL: &str = "share/man/man1";
const LICENCES: &[&str] = &["LICENSE-APACHE", "LICENSE-MIT"];

/// Which executable, and what it says of itself.
#[derive(Args)]
pub struct Source {
    /// The version; without it the workspace's.
    #[arg(long, value_name = "V")]
    version: Option<String>,
    /// Build with optimisation (the default).
    #[arg(long, conflicts_with = "debug")]
    release: bool,
    /// Build without optimisation.
    #[arg(long)]
    debug: bool,
    /// Features of the executable.
    #[arg(long, value_name = "F")]
    features: Option<String>,
    /// Take this executable and build none.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["release", "debug", "features"])]
    binary: Option<PathBuf>,
    /// Take what `concord setup facts --json` would say from this file.
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
}

impl Source {
    /// An executable that is built already.
    pub fn built(binary: PathBuf) -> Self {
        let (version, features, facts) = (None, None, None);
        Self { version, release: false, debug: false, features, binary: Some(binary), facts }
    }
}

/// The executable, and what it says of itself.
pub struct Product {
    executable: PathBuf,
    /// What it says of itself.
    pub facts: ReleaseFacts,
}

/// Builds the executable, or takes the given one, and asks it for its facts.
pub fn obtain(options: &Source) -> Result<Product> {
    let executable = match &options.binary {
        Some(path) => path
            .canonicalize()
            .map_err(|e| trouble(format!("there is no executable {}: {e}", path.display())))?,
        None => {
            let version = options.version.as_deref();
            build_program(!options.debug, options.features.as_deref(), version)?
        }
    };
    let text = match &options.facts {
        Some(file) => std::fs::read_to_string(file)
            .map_err(|e| trouble(format!("cannot read {}: {e}", file.display())))?,
        None => ask(&executable, &["setup", "facts", "--json"])?,
    };
    let mut facts: ReleaseFacts = serde_json::from_str(&text)
        .map_err(|e| trouble(format!("the facts are not as expected ({e}):\n{text}")))?;
    if let Some(version) = &options.version {
        // A file of facts describes any build; the executable knows which one it is.
        if options.facts.is_some() {
            facts.version.clone_from(version);
        } else if facts.version != *version {
            let found = &facts.version;
            return Err(trouble(format!("the executable calls itself {found}, not {version}")));
        }
    }
    Ok(Product { executable, facts })
}

impl Product {
    /// Writes the stripped executable to `to`.
    pub fn executable(&self, to: &Path) -> Result<()> {
        std::fs::copy(&self.executable, to)?;
        std::fs::set_permissions(to, PermissionsExt::from_mode(0o755))?;
        match tool("strip") {
            Some(strip) => {
                run(Command::new(strip).arg("--strip-debug").arg(to), PATIENCE)?.ok()?;
            }
            None => println!("strip is not installed; the executable keeps its debug information"),
        }
        Ok(())
    }

    /// Writes manual pages and completion scripts below `to`, as below `/usr`.
    pub fn share(&self, to: &Path) -> Result<()> {
        let manual = to.join(MANUAL);
        std::fs::create_dir_all(&manual)?;
        let mut pages = program(&self.executable.display().to_string());
        pages.args(["man", "--output"]).arg(&manual);
        run(&mut pages, PATIENCE)?.ok().map_err(|e| e.during("the manual pages"))?;
        for (shell, place) in COMPLETIONS {
            let place = to.join(place);
            std::fs::create_dir_all(place.parent().unwrap_or(to))?;
            std::fs::write(&place, ask(&self.executable, &["completions", shell])?)?;
        }
        plain_modes(to)
    }

    /// Copies the licences into `to`.
    pub fn licences(&self, to: &Path) -> Result<()> {
        for name in LICENCES {
            std::fs::copy(root().join(name), to.join(name))?;
        }
        plain_modes(to)
    }
}

/// Files that nobody runs, whatever the mask of this process is.
fn plain_modes(directory: &Path) -> Result<()> {
    std::fs::set_permissions(directory, PermissionsExt::from_mode(0o755))?;
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            plain_modes(&path)?;
        } else if !path.metadata()?.permissions().mode() & 0o100 != 0 {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644))?;
        }
    }
    Ok(())
}

/// What the executable prints.
fn ask(executable: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = program(&executable.display().to_string());
    let done = run(command.args(arguments), PATIENCE)?.ok();
    let told =
        |e: concord_testkit::Trouble| e.during(&format!("'concord {}'", arguments.join(" ")));
    Ok(done.map_err(told)?.stdout)
}
