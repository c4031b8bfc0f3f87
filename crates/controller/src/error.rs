//! Why the controller cannot do what it was asked.

use concord_base::{Fault, Retry};
use std::fmt;
use std::path::PathBuf;

/// Why the controller does not start, or did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ControllerError {
    /// Another controller runs on the same root.
    #[error("cannot start: a controller already runs on this root (pid {}); use 'concord service list', or stop it with 'concord down'", .pid.map_or("unknown".to_owned(), |p| p.to_string()))]
    AlreadyRunning {
        /// Its process, if it wrote it down.
        pid: Option<i32>,
    },
    /// Listeners that cannot be opened, all of them.
    #[error("{}", SocketListing(.0))]
    Sockets(Vec<SocketProblem>),
    /// A file or directory.
    #[error("cannot {act} {}: {cause}; see whether the path exists, belongs to the user that runs Concord, and has room", path.display())]
    Io {
        /// What was tried, an infinitive.
        act: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
    /// The services' descriptions contradict each other.
    #[error("cannot run these services: {0}")]
    Services(String),
    /// The system refused something that has no file.
    #[error("cannot {act}: {cause}; mend what the system names, or look into its log")]
    System {
        /// What was tried, an infinitive.
        act: &'static str,
        /// The system's words.
        cause: std::io::Error,
    },
    /// There is no such service.
    #[error("cannot find service '{name}': there are {}; give one of these", known.join(", "))]
    NoService {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The act is not for the controller itself.
    #[error("the controller cannot {0} itself; use 'concord down' to stop everything")]
    Itself(&'static str),
    /// The services could not be read anew; nothing changed.
    #[error("cannot reload: {0}")]
    Reload(String),
    /// The program cannot take the controller's place.
    #[error("cannot be replaced by {}: {cause}; give the path of a release's concord program", program.display())]
    Program {
        /// What was to take its place.
        program: PathBuf,
        /// What is wrong with it.
        cause: std::io::Error,
    },
    /// Services run, or may start.
    #[error("cannot be replaced: services are not paused; pause them first")]
    NotPaused,
    /// The controller is ending.
    #[error("cannot do anything now: the controller is stopping; start it again with 'concord up'")]
    Stopping,
}

impl ControllerError {
    pub(crate) fn io(
        act: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |cause| Self::Io { act, path, cause }
    }
}

impl Fault for ControllerError {
    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyRunning { .. } => "controller.already-running",
            Self::Sockets(_) => "controller.sockets",
            Self::Io { .. } => "controller.io",
            Self::Services(_) => "controller.services",
            Self::System { .. } => "controller.system",
            Self::NoService { .. } => "controller.no-service",
            Self::Itself(_) => "controller.itself",
            Self::Reload(_) => "controller.reload",
            Self::Program { .. } => "controller.program",
            Self::NotPaused => "controller.not-paused",
            Self::Stopping => "controller.stopping",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::NoService { .. } | Self::Itself(_) => Retry::Permanent,
            Self::Stopping => Retry::Temporary,
            Self::Services(_) => Retry::Bug,
            _ => Retry::Operator,
        }
    }
}

/// A listener that cannot be opened.
#[derive(Debug)]
pub struct SocketProblem {
    /// The listener's name, for example `smtp`.
    pub name: String,
    /// Its address.
    pub address: String,
    /// Why.
    pub cause: SocketCause,
}

/// Why a listener cannot be opened.
#[derive(Debug)]
pub enum SocketCause {
    /// Others listen there.
    Taken(Vec<Holder>),
    /// A port under `net.ipv4.ip_unprivileged_port_start` and no right to it.
    NotPermitted,
    /// No network interface has this address.
    NoSuchAddress,
    /// A Unix socket's path that does not fit the system's structure.
    PathTooLong {
        /// Bytes that fit.
        most: usize,
    },
    /// Anything else.
    Other(std::io::Error),
}

/// A process that holds a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Process id.
    pub pid: i32,
    /// The program's short name.
    pub name: String,
    /// The user's name, or number.
    pub user: String,
}

struct SocketListing<'a>(&'a [SocketProblem]);

impl fmt::Display for SocketListing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.0.len() == 1 { "listener" } else { "listeners" };
        write!(f, "cannot open {} {noun}", self.0.len())?;
        for problem in self.0 {
            write!(f, "\n  {} {}: {}", problem.name, problem.address, problem.cause)?;
        }
        let taken = self.0.iter().any(|p| matches!(p.cause, SocketCause::Taken(_)));
        if taken {
            f.write_str(
                "\n  stop those programs, or choose other ports under [listen] in etc/concord.toml",
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for SocketCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken(holders) if holders.is_empty() => f.write_str(
                "taken by a process that cannot be seen (another user's; run as root to see it)",
            ),
            Self::Taken(holders) => {
                let all: Vec<_> = holders
                    .iter()
                    .map(|h| format!("{} (pid {}, user {})", h.name, h.pid, h.user))
                    .collect();
                write!(f, "taken by {}", all.join(" and "))
            }
            Self::NotPermitted => f.write_str(
                "not permitted for this user; run under the systemd unit or as root, or choose \
                 ports from 1024 on under [listen] in etc/concord.toml",
            ),
            Self::NoSuchAddress => f.write_str(
                "no network interface has this address; correct it under [listen] in \
                 etc/concord.toml",
            ),
            Self::PathTooLong { most } => {
                write!(f, "the path is longer than {most} bytes; choose a root with a shorter path")
            }
            Self::Other(cause) => write!(f, "{cause}"),
        }
    }
}
