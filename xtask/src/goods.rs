//! What verbs are given: a signed connector package, and a bundle of a newer
//! release.

use crate::next;
use crate::workspace::{build_concord, root};
use clap::Args;
use concord_base::{Clock, Fault, SystemClock};
use concord_bundle::{BundleError, MakeOptions, ReleaseFacts, make, make_keys, trust_root_of};
use concord_testkit::{Result, Trouble, run, trouble};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A program that takes longer for this hangs.
const LIMIT: Duration = Duration::from_secs(120);

/// Which executables are used.
#[derive(Args)]
pub struct Programs {
    /// Build for release.
    #[arg(long)]
    pub release: bool,
    /// The executable, instead of building one.
    #[arg(long, requires = "next")]
    binary: Option<PathBuf>,
    /// The newer release, instead of building one.
    #[arg(long, requires = "binary")]
    next: Option<PathBuf>,
}

/// Made once, outside of every root.
pub struct Goods {
    _directory: tempfile::TempDir,
    /// The executable under test.
    pub program: PathBuf,
    /// The webhook of the examples, packed and signed.
    pub package: String,
    /// The key that signed it.
    pub publisher: String,
    /// The newer release.
    pub bundle: String,
    /// The root of trust for it.
    pub trust: String,
}

impl Goods {
    /// Builds what is not given, packs and signs.
    pub fn obtain(programs: &Programs) -> Result<Self> {
        if let (Some(binary), Some(next)) = (&programs.binary, &programs.next) {
            return Self::new(binary.clone(), next);
        }
        // The newer one first: both have the same name in the build directory.
        let next = next::run(programs.release)?;
        Self::new(build_concord(programs.release)?, &next)
    }

    fn new(program: PathBuf, next: &Path) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("concord-goods-").tempdir()?;
        let at = |name: &str| text(&directory.path().join(name));
        let (key, package, trust) = (at("publisher.key")?, at("webhook.ccp")?, at("root.json")?);
        let publisher = at("publisher.pub")?;
        let example = at("webhook")?;
        copy_files(&root().join("examples/webhook"), Path::new(&example))?;
        ask(&program, &["connector", "keygen", &key])?;
        ask(&program, &["connector", "pack", &example, "--key", &key, "--out", &package])?;
        let keys = directory.path().join("keys");
        make_keys(&keys, SystemClock.now()).map_err(told)?;
        std::fs::write(&trust, trust_root_of(&keys).map_err(told)?)?;
        let bundle = text(&bundle(directory.path(), &keys, next)?)?;
        Ok(Self { _directory: directory, program, package, publisher, bundle, trust })
    }

    /// Words that install the webhook under a name, listening there.
    pub fn connector_words(&self, name: &str, listen: &str) -> Vec<String> {
        let listen = format!("http={listen}");
        let words = ["connector", "install", &self.package, "--name", name];
        let more = ["--trust", &self.publisher, "--setting", "url=http://127.0.0.1:9/"];
        words.iter().chain(&more).chain(&["--listen", &listen]).map(|w| (*w).into()).collect()
    }
}

fn text(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).ok_or_else(|| trouble("a path is not UTF-8"))
}

fn told(error: BundleError) -> Trouble {
    trouble(format!("{error} [{}]", error.code()))
}

/// Runs a command that needs no root to its end; gives back what it printed.
fn ask(program: &Path, arguments: &[&str]) -> Result<String> {
    Ok(run(Command::new(program).args(arguments), LIMIT)?.ok()?.stdout)
}

fn copy_files(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn bundle(directory: &Path, keys: &Path, next: &Path) -> Result<PathBuf> {
    let facts: ReleaseFacts = serde_json::from_str(&ask(next, &["setup", "facts"])?)?;
    let files = directory.join("files");
    std::fs::create_dir_all(&files)?;
    let program = files.join("concord");
    std::fs::copy(next, &program)?;
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))?;
    let options = MakeOptions {
        files,
        facts,
        built: SystemClock.now(),
        keys: keys.to_owned(),
        expires_days: 30,
        metadata_version: None,
        out: directory.join("out"),
    };
    make(&options).map_err(told)
}
