//! What the controller is told about services.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A service: one program, one process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSpec {
    /// Kebab case, unique: log file, notify socket and commands carry it.
    pub name: String,
    /// Absolute path.
    pub program: PathBuf,
    /// Its arguments, without the program's name.
    pub args: Vec<String>,
    /// Names of services that must be ready before this one starts.
    pub depends_on: Vec<String>,
    /// Sockets that it inherits, in this order.
    pub sockets: Vec<SocketSpec>,
    /// Time limits and the crash budget.
    pub supervision: Supervision,
    /// Added to the environment of the process.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// A service that is not enabled is known and listed as stopped. Its
    /// sockets are not opened and it does not start by itself; an
    /// administrator may start it.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// If its program is missing or its sockets cannot be opened it fails
    /// alone, instead of keeping the controller from starting.
    #[serde(default)]
    pub optional: bool,
}

const fn yes() -> bool {
    true
}

/// A listening socket that the controller opens and keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketSpec {
    /// Its name in `LISTEN_FDNAMES`; several sockets may share one.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddress,
}

/// Where a socket listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SocketAddress {
    /// TCP.
    Tcp(SocketAddr),
    /// A Unix stream socket with mode 0600.
    Unix(PathBuf),
}

impl SocketAddress {
    /// Whether two sockets cannot listen at both at once.
    pub(crate) fn collides(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Tcp(a), Self::Tcp(b)) => {
                let any = a.ip().is_unspecified() || b.ip().is_unspecified();
                a.port() == b.port() && a.port() != 0 && (any || a.ip() == b.ip())
            }
            (Self::Unix(a), Self::Unix(b)) => a == b,
            _ => false,
        }
    }
}

impl fmt::Display for SocketAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Time limits and the crash budget of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supervision {
    /// From start to READY=1.
    pub start_time: Duration,
    /// From SIGTERM to SIGKILL.
    pub stop_time: Duration,
    /// Longest silence while ready; zero: not watched.
    pub watchdog: Duration,
    /// Crashes within the window that make it fail.
    pub crash_budget: u64,
    /// See `crash_budget`.
    pub crash_window: Duration,
    /// Wait before the first restart; doubles with each crash in the window.
    pub back_off_min: Duration,
    /// Longest wait.
    pub back_off_max: Duration,
}

/// What the controller itself needs.
#[derive(Debug, Clone)]
pub struct ControllerConfig {
    /// Locks, records and sockets of this run. Made with mode 0700.
    pub run_dir: PathBuf,
    /// Log files. Made with mode 0700.
    pub log_dir: PathBuf,
    /// The control socket.
    pub control_socket: PathBuf,
    /// A program and its first arguments that end in [`launch`](crate::launch),
    /// called with the controller's process id and a service's program and
    /// arguments.
    pub launcher: Vec<OsString>,
    /// The services. Dependencies may stand in any order.
    pub services: Vec<ServiceSpec>,
    /// Size at which a log file is put aside, in bytes.
    pub rotate_size: u64,
    /// How many files put aside are kept.
    pub rotate_keep: u64,
    /// Where a reload gets the services from; none, and it is refused.
    pub reload: Option<Reload>,
    /// While this file exists services that know of it (`CONCORD_HOLD` in
    /// their environment) start and are ready, but take nothing in and send
    /// nothing. The controller only tells them; it neither makes nor removes it.
    pub hold: Option<PathBuf>,
}

/// Reads the services anew. Called on the controller's own task: it may read
/// a file, but not wait for anything. An error is one sentence that says what
/// to do, and nothing changes.
#[derive(Clone)]
pub struct Reload(Arc<dyn Fn() -> Result<Vec<ServiceSpec>, String> + Send + Sync>);

impl Reload {
    /// From what reads them.
    pub fn new(
        read: impl Fn() -> Result<Vec<ServiceSpec>, String> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(read))
    }

    pub(crate) fn read(&self) -> Result<Vec<ServiceSpec>, String> {
        (self.0)()
    }
}

impl fmt::Debug for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reload")
    }
}
