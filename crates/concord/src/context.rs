//! What every command knows: the root and the form of output.

use crate::cli::Cli;
use crate::failure::Failure;
use crate::services;
use concord_base::Fault;
use concord_controller::{ControlClient, JsonClient};
use concord_settings::Root;
use std::future::Future;
use std::path::{Path, PathBuf};

/// What every command knows.
#[derive(Debug)]
pub struct Context {
    root: Option<PathBuf>,
    /// Whether results are printed as JSON.
    pub json: bool,
    /// Whether nothing is printed: the caller does it.
    pub silent: bool,
}

impl Context {
    /// From the command line.
    pub fn new(cli: &Cli) -> Self {
        Self { root: cli.root.clone(), json: cli.json, silent: false }
    }

    /// The same without output of its own: a verb within a verb.
    pub fn quiet(other: &Self) -> Self {
        Self { root: other.root.clone(), json: other.json, silent: true }
    }

    /// The root: `--root`, else `$CONCORD_ROOT`, else the user's default; if
    /// that was never set up and a demonstration was, the demonstration.
    pub fn root(&self) -> Result<Root, Failure> {
        if let Some(given) = self.given_root() {
            return absolute(&given);
        }
        let usual = absolute(&default_root())?;
        if usual.config_file().exists() {
            return Ok(usual);
        }
        let demo = absolute(&demo_root())?;
        Ok(if demo.config_file().exists() { demo } else { usual })
    }

    /// The root that `concord up` is to use.
    pub fn root_to_set_up(&self, demo: bool) -> Result<Root, Failure> {
        let usual = if demo { demo_root() } else { default_root() };
        absolute(&self.given_root().unwrap_or(usual))
    }

    fn given_root(&self) -> Option<PathBuf> {
        let from_environment = || std::env::var_os("CONCORD_ROOT").filter(|v| !v.is_empty());
        self.root.clone().or_else(|| from_environment().map(PathBuf::from))
    }

    /// The core's admin API.
    pub fn admin(&self) -> Result<JsonClient, Failure> {
        Ok(admin(&self.root()?))
    }

    /// The web service's API.
    pub fn web(&self) -> Result<JsonClient, Failure> {
        let root = self.root()?;
        Ok(JsonClient::of_service(services::WEB, root.web_socket(), root.controller_socket()))
    }

    /// The controller's API.
    pub fn control(&self) -> Result<ControlClient, Failure> {
        Ok(ControlClient::new(&self.root()?.controller_socket()))
    }

    /// Runs a conversation with an API to its end.
    pub fn block_on<T, E: Fault>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Failure> {
        Ok(runtime()?.block_on(work)?)
    }
}

/// The admin API of a root's core.
pub fn admin(root: &Root) -> JsonClient {
    JsonClient::of_service(services::CORE, root.admin_socket(), root.controller_socket())
}

/// A current-thread runtime: everything happens on the main thread.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| {
        Failure::new(
            "cli.runtime",
            format!("cannot start: {e}; see whether memory or open files ran out"),
        )
    })
}

fn absolute(path: &Path) -> Result<Root, Failure> {
    Root::new(path).map_err(|e| {
        Failure::new("cli.root", format!("cannot use {}: {e}; give another --root", path.display()))
    })
}

fn default_root() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/lib/concord");
    }
    data_home().join("concord")
}

fn demo_root() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/lib/concord-demo");
    }
    data_home().join("concord-demo")
}

/// XDG Base Directory Specification: `$XDG_DATA_HOME`, else `~/.local/share`.
fn data_home() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    set("XDG_DATA_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| set("HOME").map(|home| home.join(".local/share")))
        .unwrap_or_else(|| PathBuf::from("."))
}
