//! The Connectivity Controller: starts, watches and stops services.
//!
//! Each service is a process. The controller opens every listening socket
//! and passes it on by the systemd protocol (sd_listen_fds(3)), so a restart
//! of a service refuses no connection; hears READY=1, WATCHDOG=1 and STATUS=
//! by sd_notify(3); restarts what crashed after a back-off that doubles,
//! until a budget is used up; and stops everything in reverse order of
//! dependency, SIGTERM first, SIGKILL after the stop time.
//!
//! What it does in which state is one table, [`machine::TABLE`].
//!
//! While it runs it can read the services anew and converge on them, keeping
//! the sockets that stay; pause, which ends every process and keeps every
//! socket, so that clients wait; and, paused, be replaced by another program in
//! the same process, which gets the sockets.
//!
//! Invariants: at most one controller per root (a lock that dies with the
//! process); no service outlives the controller (each gets SIGTERM from the
//! kernel when the controller dies, and the next controller ends what is
//! left); a service that rests (stopped or failed) has no open listener;
//! no connection is refused by a pause, a replacement, or a reload that keeps
//! its socket.
//!
//! It does not: read the configuration file, know what services do, or keep
//! anything on disk that matters after its end.
//!
//! Linux only: pidfd_open(2), prctl(2) and procfs(5).

mod control;
mod controller;
mod crashes;
mod error;
mod graph;
mod inherit;
mod launch;
mod leftovers;
mod lock;
pub mod logs;
pub mod machine;
mod notify;
mod ports;
mod service;
mod sockets;
mod spec;
mod status;
mod stop_signals;
mod upward;

pub use control::{ClientError, ControlClient, JsonClient, REPLACE_TIME, path_of};
pub use controller::{Controller, Report};
pub use error::{ControllerError, Holder, SocketCause, SocketProblem};
pub use hyper::Method;
pub use inherit::is_successor;
pub use launch::launch;
pub use ports::holders as port_holders;
pub use service::{EXIT_REFUSED, HOLD_VARIABLE};
pub use spec::{ControllerConfig, Reload, ServiceSpec, SocketAddress, SocketSpec, Supervision};
pub use status::{ErrorBody, ErrorEnvelope, LogTail, ServiceStatus, SocketStatus, Verb};
