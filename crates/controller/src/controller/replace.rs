//! Being replaced: another program takes over this process and its sockets.

use super::{Controller, Reply};
use crate::error::ControllerError;
use crate::inherit::{self, Handed, Inherited, Owned};
use crate::machine::State;
use crate::service::{HOLD_VARIABLE, Service};
use crate::sockets;
use crate::spec::{ControllerConfig, SocketAddress};
use concord_base::SystemClock;
use rustix::fs::{Access, access};
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// What an accepted request's answer gets to be written: it takes one turn of
/// the runtime, which comes before this has passed.
const ANSWER_TIME: Duration = Duration::from_millis(50);

/// The program that is to take over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Successor {
    /// Absolute path.
    pub(crate) program: PathBuf,
    /// Its arguments, without the program's name.
    #[serde(default)]
    pub(crate) args: Vec<String>,
}

/// An accepted request.
pub(super) struct Replacement {
    successor: Successor,
    failed: oneshot::Sender<ControllerError>,
}

impl Controller {
    /// Accepts the request if it can be carried out; it is after this step.
    pub(super) fn replace(
        &mut self,
        successor: Successor,
        reply: Reply<oneshot::Receiver<ControllerError>>,
    ) {
        let answer = if self.shutting_down {
            Err(ControllerError::Stopping)
        } else if !self.is_paused() || self.replacement.is_some() {
            Err(ControllerError::NotPaused)
        } else {
            successor.check().map(|()| {
                let (failed, failure) = oneshot::channel();
                self.replacement = Some(Replacement { successor, failed });
                failure
            })
        };
        let _ = reply.send(answer);
    }

    /// Carries out an accepted request. Comes back if there is none, or if the
    /// program could not be executed; then everything is as it was.
    pub(super) async fn become_successor(&mut self) {
        let Some(Replacement { successor, failed }) = self.replacement.take() else { return };
        tokio::time::sleep(ANSWER_TIME).await;
        tracing::info!(program = %successor.program.display(), "this process is handed over");
        let error = match self.execute(&successor) {
            Err(error) => error,
            Ok(never) => match never {},
        };
        tracing::error!(%error, "the controller stays");
        let _ = failed.send(error);
    }

    fn execute(&self, successor: &Successor) -> Result<std::convert::Infallible, ControllerError> {
        let resting = |s: &&Service| s.spec.enabled && s.state == State::Stopped;
        let stopped = self.services.iter().filter(resting).map(|s| s.spec.name.clone()).collect();
        let (stdin, described) = inherit::hand_over(&self.handed(), stopped)?;
        let mut command = std::process::Command::new(&successor.program);
        command.args(&successor.args).env(inherit::VARIABLE, described).stdin(Stdio::from(stdin));
        match self.config.hold.as_ref().filter(|hold| hold.exists()) {
            Some(hold) => command.env(HOLD_VARIABLE, hold),
            None => command.env_remove(HOLD_VARIABLE),
        };
        let cause = command.exec();
        inherit::take_back();
        // exec resets SIGPIPE to what ends a process; a handler keeps it alive.
        let _ = signal(SignalKind::pipe());
        Err(ControllerError::Program { program: successor.program.clone(), cause })
    }

    /// Everything that the next program gets.
    fn handed(&self) -> Vec<Handed<'_>> {
        let of_services = self.services.iter().flat_map(|service| {
            service.sockets.iter().map(|socket| Handed {
                service: &service.spec.name,
                name: &socket.name,
                asked: socket.asked.clone(),
                address: socket.address.clone(),
                fd: socket.fd.as_fd(),
            })
        });
        let own = |name, path: PathBuf, fd| Handed {
            service: inherit::OWN,
            name,
            asked: SocketAddress::Unix(path.clone()),
            address: SocketAddress::Unix(path),
            fd,
        };
        let lock = own(inherit::LOCK, self.config.run_dir.join("controller.lock"), self.lock.fd());
        let control =
            own(inherit::CONTROL, self.config.control_socket.clone(), self.control_fd.as_fd());
        of_services.chain([lock, control]).collect()
    }
}

impl Successor {
    /// Whether it looks like a program that can be executed.
    fn check(&self) -> Result<(), ControllerError> {
        let refused = |cause| ControllerError::Program { program: self.program.clone(), cause };
        if !self.program.is_absolute() {
            return Err(refused(std::io::Error::other("the path is not absolute")));
        }
        let found = std::fs::metadata(&self.program).map_err(refused)?;
        if !found.is_file() {
            return Err(refused(std::io::Error::other("it is not a file")));
        }
        access(&self.program, Access::EXEC_OK).map_err(|e| refused(e.into()))?;
        // exec(3) hands a file of another form to the shell, which would leave
        // nobody with the sockets.
        let mut start = [0; 4];
        let read = std::fs::File::open(&self.program).and_then(|mut f| f.read_exact(&mut start));
        read.map_err(refused)?;
        if start != *b"\x7fELF" && !start.starts_with(b"#!") {
            return Err(refused(std::io::Error::other("it is no executable program")));
        }
        Ok(())
    }
}

/// Takes out what was the controller's own.
pub(super) fn own(inherited: &mut Inherited, name: &str, path: &Path) -> Option<OwnedFd> {
    let found = inherited.sockets.iter().position(|o| {
        let is_here = matches!(&o.socket.asked, SocketAddress::Unix(at) if at == path);
        o.service == inherit::OWN && o.socket.name == name && is_here
    })?;
    Some(inherited.sockets.swap_remove(found).socket.fd)
}

/// Opens the sockets of all services that are enabled, those that were handed
/// over first, so that every problem is told at once. What was handed over and
/// is not wanted any more is closed, a Unix socket's file removed.
pub(super) fn open_services(
    config: &ControllerConfig,
    inherited: Inherited,
    stopped: &[String],
) -> Result<Vec<Service>, ControllerError> {
    let mut services = Vec::new();
    let mut problems = Vec::new();
    let (mut pools, mut others) = by_service(config, inherited.sockets);
    for (spec, pool) in config.services.iter().zip(&mut pools) {
        // One that moved from another service keeps its clients all the same.
        let starts = spec.enabled && !stopped.contains(&spec.name);
        let wanted = if starts { spec.sockets.as_slice() } else { &[] };
        for wanted in wanted {
            let is_there = pool.iter().any(|open| open.asked == wanted.address);
            if !is_there && let Some(found) = sockets::take(&mut others, wanted) {
                pool.push(found);
            }
        }
        let open = match sockets::open(wanted, pool) {
            Ok(open) => open,
            // It says so when it starts.
            Err(ControllerError::Sockets(_)) if spec.optional => Vec::new(),
            Err(ControllerError::Sockets(more)) => {
                problems.extend(more);
                Vec::new()
            }
            Err(other) => return Err(other),
        };
        services.push(Service::new(spec.clone(), open, &SystemClock));
    }
    if !problems.is_empty() {
        return Err(ControllerError::Sockets(problems));
    }
    for unwanted in pools.into_iter().flatten().chain(others) {
        forget(&services, &unwanted.asked);
    }
    Ok(services)
}

/// What each service had before, and the rest.
fn by_service(
    config: &ControllerConfig,
    inherited: Vec<Owned>,
) -> (Vec<Vec<sockets::OpenSocket>>, Vec<sockets::OpenSocket>) {
    let mut pools: Vec<Vec<_>> = config.services.iter().map(|_| Vec::new()).collect();
    let mut others = Vec::new();
    for Owned { service, socket } in inherited {
        let same = config.services.iter().position(|spec| {
            spec.name == service && spec.sockets.iter().any(|s| s.address == socket.asked)
        });
        match same.and_then(|index| pools.get_mut(index)) {
            Some(pool) => pool.push(socket),
            None => others.push(socket),
        }
    }
    (pools, others)
}

/// Removes the file of a Unix socket that no service has any more.
pub(super) fn forget(services: &[Service], address: &SocketAddress) {
    let SocketAddress::Unix(path) = address else { return };
    let is_wanted = services.iter().flat_map(|s| &s.sockets).any(|open| open.asked == *address);
    if !is_wanted && let Err(error) = sockets::remove_stale(path) {
        tracing::warn!(path = %path.display(), %error, "a socket's file stays behind");
    }
}
