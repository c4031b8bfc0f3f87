//! The layout of a root directory.

use std::path::{Path, PathBuf};

/// The directory that holds everything of one server: `etc`, `data`, `run`
/// and `log`. Its path is absolute, so that services may change directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root(PathBuf);

impl Root {
    /// The root at `path`; relative paths are seen from the current directory.
    pub fn new(path: &Path) -> std::io::Result<Self> {
        std::path::absolute(path).map(Self)
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }
    /// Configuration, written by the administrator.
    pub fn etc(&self) -> PathBuf {
        self.0.join("etc")
    }
    /// `etc/concord.toml`
    pub fn config_file(&self) -> PathBuf {
        self.0.join("etc/concord.toml")
    }
    /// What must survive: message log, index, certificates.
    pub fn data(&self) -> PathBuf {
        self.0.join("data")
    }
    /// The self-made certificate.
    pub fn tls(&self) -> PathBuf {
        self.0.join("data/tls")
    }
    /// Sockets and locks of running processes.
    pub fn run(&self) -> PathBuf {
        self.0.join("run")
    }
    /// One log file per service.
    pub fn log(&self) -> PathBuf {
        self.0.join("log")
    }
    /// The controller's control socket (HTTP + JSON).
    pub fn controller_socket(&self) -> PathBuf {
        self.0.join("run/controller.sock")
    }
    /// The core's admin API (HTTP + JSON).
    pub fn admin_socket(&self) -> PathBuf {
        self.0.join("run/admin.sock")
    }
    /// Where connectors hand messages to the core (SMTP).
    pub fn submit_socket(&self) -> PathBuf {
        self.0.join("run/submit.sock")
    }
    /// Where the core hands messages to a connector (LMTP).
    pub fn deliver_socket(&self, connector: &str) -> PathBuf {
        self.0.join("run").join(format!("deliver-{connector}.sock"))
    }
    /// `path` if absolute, else seen from the root.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.0.join(path)
    }
}
