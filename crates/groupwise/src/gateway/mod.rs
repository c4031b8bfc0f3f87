//! The gateway's directories: what is put there, found there and taken away.
//!
//! Calls block, on what may be another machine's disk: they belong on threads
//! of their own (see [`Gateway::blocking`]).

mod found;
mod publish;

pub use found::{Content, Listed};
pub use publish::{Published, Put};

use concord_base::{EnhancedStatus, Fault, Retry};
use concord_groupwise_api::layout;
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A look at, or a write to, the gateway's directory takes no longer, or its
/// server is gone.
const PATIENCE: Duration = Duration::from_secs(120);
/// Directories without which there is no gateway.
const NEEDED: [&str; 4] = [layout::API_IN, layout::ATT_IN, layout::API_OUT, layout::ATT_OUT];
/// Where files go that cannot be understood, or that kill the connector.
pub const QUARANTINE: &str = "concord-quarantine";

/// The gateway's directory cannot be used now.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// It is not there; a volume that is not mounted looks like this.
    #[error("there is no {path}; is the gateway's volume mounted?")]
    Missing {
        /// What was looked for.
        path: PathBuf,
    },
    /// The system refused.
    #[error("cannot {what} {path}: {cause}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// It does not answer.
    #[error("the gateway's directory did not answer for {} seconds", PATIENCE.as_secs())]
    Hangs,
    /// Every name that this message may have is in the gateway's hands.
    #[error("all file names for this message are in use; the gateway has not taken them yet")]
    NoName,
}

impl Fault for GatewayError {
    fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "groupwise.no-directory",
            Self::Io { .. } => "groupwise.directory",
            Self::Hangs => "groupwise.directory-hangs",
            Self::NoName => "groupwise.no-name",
        }
    }

    fn retry(&self) -> Retry {
        Retry::Temporary
    }

    /// RFC 3463: X.4.1 no answer from host.
    fn enhanced_status(&self) -> EnhancedStatus {
        EnhancedStatus::new(4, 4, 1)
    }
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> GatewayError {
    let path = path.to_owned();
    move |cause| GatewayError::Io { what, path, cause }
}

/// A gateway's directory.
#[derive(Debug)]
pub struct Gateway {
    root: PathBuf,
    /// Numbers whose files are being written by this process.
    claimed: Mutex<HashSet<u32>>,
}

impl Gateway {
    /// The gateway in this directory.
    pub fn new(root: PathBuf) -> Self {
        Self { root, claimed: Mutex::default() }
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self, directory: &str, name: impl AsRef<Path>) -> PathBuf {
        self.root.join(directory).join(name)
    }

    /// Whether the directories are there. An empty mount point has none of them.
    ///
    /// # Errors
    /// The one that is missing.
    pub fn check(&self) -> Result<(), GatewayError> {
        let missing = NEEDED.iter().map(|name| self.root.join(name)).find(|path| !path.is_dir());
        missing.map_or(Ok(()), |path| Err(GatewayError::Missing { path }))
    }

    /// Calls on a thread where blocking is allowed, for a bounded time. What
    /// hangs goes on hanging there and is given up.
    ///
    /// # Errors
    /// Those of the call, and [`GatewayError::Hangs`].
    pub async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        call: impl FnOnce(&Self) -> Result<T, GatewayError> + Send + 'static,
    ) -> Result<T, GatewayError> {
        let gateway = Arc::clone(self);
        let called = tokio::task::spawn_blocking(move || call(&gateway));
        match tokio::time::timeout(PATIENCE, called).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(GatewayError::Hangs),
        }
    }

    fn claims(&self) -> std::sync::MutexGuard<'_, HashSet<u32>> {
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
