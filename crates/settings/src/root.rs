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
    /// The API of the component web: certificates (HTTP + JSON).
    pub fn web_socket(&self) -> PathBuf {
        self.0.join("run/web.sock")
    }
    /// Where conversations of the Internet Mail Service can be looked at.
    pub fn watch_socket(&self) -> PathBuf {
        self.0.join("run/watch.sock")
    }
    /// What the administrator decided about Internet mail.
    pub fn mail_policy_file(&self) -> PathBuf {
        self.0.join("etc/internet-mail.toml")
    }
    /// Keys that sign mail (DKIM), with their states.
    pub fn dkim_keys(&self) -> PathBuf {
        self.0.join("data/keys/dkim")
    }
    /// Private keys that are not of TLS.
    pub fn keys(&self) -> PathBuf {
        self.0.join("data/keys")
    }
    /// What must survive: message log, index, certificates.
    pub fn data(&self) -> PathBuf {
        self.0.join("data")
    }
    /// What the Internet Mail Service keeps: MTA-STS policies, counts of TLS
    /// sessions.
    pub fn internet_mail(&self) -> PathBuf {
        self.0.join("data/internet-mail")
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
    /// The core's API for connectors (HTTP + JSON).
    pub fn api_socket(&self) -> PathBuf {
        self.run().join("api.sock")
    }

    /// The key of the tokens for it.
    pub fn api_key(&self) -> PathBuf {
        self.run().join("api.key")
    }

    /// SMTP from connectors to the core.
    pub fn submit_socket(&self) -> PathBuf {
        self.0.join("run/submit.sock")
    }
    /// LDAP for this machine's administrator.
    pub fn ldapi_socket(&self) -> PathBuf {
        self.0.join("run/ldapi.sock")
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
