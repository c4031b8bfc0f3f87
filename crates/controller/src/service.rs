//! One supervised service: its state, its process, and the actions of the
//! table carried out.

use crate::crashes::Crashes;
use crate::error::ControllerError;
use crate::leftovers::{Recorded, start_of};
use crate::machine::{Action, Event, State, Timer};
use crate::sockets::{self, OpenSocket};
use crate::spec::{ControllerConfig, ServiceSpec};
use crate::status::{ServiceStatus, SocketStatus};
use crate::{inherit, logs, notify};
use command_fds::{CommandFdExt, FdMapping};
use concord_base::{Clock, Timestamp};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{ExitStatus, Stdio};
use tokio::net::UnixDatagram;
use tokio::process::Child;
use tokio::time::Instant;

/// sd_listen_fds(3): inherited sockets begin here.
const FIRST_FD: i32 = 3;
/// Names the file that holds services back while it exists.
pub const HOLD_VARIABLE: &str = "CONCORD_HOLD";
/// sysexits.h EX_CONFIG: a service that ends with it would end so again.
pub const EXIT_REFUSED: i32 = 78;

/// A service and what is known of it.
pub(crate) struct Service {
    pub(crate) spec: ServiceSpec,
    pub(crate) state: State,
    since: Timestamp,
    /// When the state's timer ends.
    pub(crate) deadline: Option<Instant>,
    pub(crate) sockets: Vec<OpenSocket>,
    process: Option<Process>,
    crashes: Crashes,
    /// The number of its process among all processes of all services, so that
    /// news of an old one is known as such; 0 if there never was one.
    pub(crate) epoch: u64,
    total_crashes: u64,
    status: Option<String>,
    pub(crate) last_exit: Option<String>,
    /// It is not among the services any more, and forgotten once it has stopped.
    pub(crate) leaving: bool,
}

struct Process {
    pid: i32,
    started: u64,
    handle: OwnedFd,
}

/// A process that was just started, for the controller to listen to.
pub(crate) struct Spawned {
    pub(crate) child: Child,
    pub(crate) notices: UnixDatagram,
}

impl Service {
    pub(crate) fn new(spec: ServiceSpec, sockets: Vec<OpenSocket>, clock: &dyn Clock) -> Self {
        Self {
            spec,
            state: State::Stopped,
            since: clock.now(),
            deadline: None,
            sockets,
            process: None,
            crashes: Crashes::default(),
            epoch: 0,
            total_crashes: 0,
            status: None,
            last_exit: None,
            leaving: false,
        }
    }

    /// Enters `state` and sets its timer.
    pub(crate) fn enter(&mut self, state: State, clock: &dyn Clock) {
        let now = Instant::now();
        let limits = &self.spec.supervision;
        let wait = match state.timer() {
            Some(Timer::Start) => Some(limits.start_time),
            Some(Timer::Stop) => Some(limits.stop_time),
            Some(Timer::Watchdog) => Some(limits.watchdog).filter(|w| !w.is_zero()),
            Some(Timer::BackOff) => Some(self.crashes.back_off(now, limits)),
            None => None,
        };
        // A stop that was asked for twice has no more time than the first.
        let still_stopping = state.timer() == Some(Timer::Stop)
            && self.state.timer() == Some(Timer::Stop)
            && self.deadline.is_some_and(|at| at > now);
        if !still_stopping {
            self.deadline = wait.map(|wait| now + wait);
        }
        if state != self.state {
            self.since = clock.now();
            self.state = state;
            self.status = None;
        }
    }

    /// The timer ended: what that means.
    pub(crate) fn time_out(&mut self, now: Instant) -> Option<Event> {
        if self.deadline? > now {
            return None;
        }
        self.deadline = None;
        self.state.timer().map(Timer::event)
    }

    /// A sign of life.
    pub(crate) fn pet_watchdog(&mut self) {
        let watchdog = self.spec.supervision.watchdog;
        if self.state == State::Ready && !watchdog.is_zero() {
            self.deadline = Some(Instant::now() + watchdog);
        }
    }

    pub(crate) fn set_status(&mut self, text: String) {
        self.status = Some(text);
    }

    /// Carries out an action that starts no process.
    pub(crate) fn act(&mut self, action: Action) {
        match action {
            Action::Terminate => self.signal(Signal::TERM),
            Action::Kill => self.signal(Signal::KILL),
            Action::CloseSockets => self.sockets.clear(),
            Action::ForgetCrashes => self.crashes.forget(),
            Action::Spawn => {}
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(process) = &self.process
            && let Err(error) = pidfd_send_signal(&process.handle, signal)
        {
            tracing::debug!(service = self.spec.name, %error, "the process is gone already");
        }
    }

    /// Notes the end of the process and says which event it is.
    pub(crate) fn ended(&mut self, status: ExitStatus) -> Event {
        self.process = None;
        self.last_exit = Some(describe(status));
        let asked = matches!(self.state, State::Stopping | State::Restarting);
        if asked {
            return Event::Exited;
        }
        self.total_crashes += 1;
        let used_up = self.crashes.count(Instant::now(), &self.spec.supervision);
        match status.code() {
            Some(EXIT_REFUSED) => Event::Refused,
            _ if used_up => Event::CrashedTooOften,
            Some(0) => Event::Exited,
            _ => Event::Crashed,
        }
    }

    /// Notes that no process could be started and says which event it is.
    pub(crate) fn not_started(&mut self, error: &ControllerError) -> Event {
        self.process = None;
        self.last_exit = Some(error.to_string());
        self.total_crashes += 1;
        if self.spec.optional {
            // What is not installed is not there a moment later either.
            return Event::Refused;
        }
        if self.crashes.count(Instant::now(), &self.spec.supervision) {
            Event::CrashedTooOften
        } else {
            Event::Crashed
        }
    }

    /// Opens what is closed and starts the process. Must be called on the
    /// main thread: the process ends with the thread that started it.
    pub(crate) fn spawn(
        &mut self,
        config: &ControllerConfig,
        epoch: u64,
    ) -> Result<Spawned, ControllerError> {
        self.epoch = epoch;
        if self.spec.optional {
            std::fs::metadata(&self.spec.program)
                .map_err(ControllerError::io("find", &self.spec.program))?;
        }
        self.sockets = sockets::open(&self.spec.sockets, &mut self.sockets)?;
        self.start(config)
    }

    fn start(&mut self, config: &ControllerConfig) -> Result<Spawned, ControllerError> {
        let notify_path = config.run_dir.join(format!("notify-{}.sock", self.spec.name));
        let notices = notify::bind(&notify_path)?;
        let log = logs::open(&config.log_dir, &self.spec.name)?;
        let log_too = log.try_clone().map_err(ControllerError::io("duplicate", &config.log_dir))?;
        let (launcher, first_args) = config
            .launcher
            .split_first()
            .ok_or_else(|| ControllerError::Services("there is no launcher".to_owned()))?;
        let mut command = std::process::Command::new(launcher);
        command
            .args(first_args)
            .arg(std::process::id().to_string())
            .arg(&self.spec.program)
            .args(&self.spec.args)
            .envs(&self.spec.environment)
            .env("NOTIFY_SOCKET", &notify_path)
            .env_remove("WATCHDOG_USEC")
            .env_remove(inherit::VARIABLE)
            .env_remove(HOLD_VARIABLE)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(log_too)
            // Ctrl-C in the terminal is for the controller alone.
            .process_group(0);
        let watchdog = self.spec.supervision.watchdog;
        if !watchdog.is_zero() {
            command.env("WATCHDOG_USEC", watchdog.as_micros().to_string());
        }
        if let Some(hold) = &config.hold {
            command.env(HOLD_VARIABLE, hold);
        }
        self.pass_sockets(&mut command)?;
        let system = |act| move |cause| ControllerError::System { act, cause };
        let child =
            tokio::process::Command::from(command).spawn().map_err(system("start the process"))?;
        self.process = Some(self.identify(&child)?);
        Ok(Spawned { child, notices })
    }

    fn pass_sockets(&self, command: &mut std::process::Command) -> Result<(), ControllerError> {
        let mut mappings = Vec::with_capacity(self.sockets.len());
        for (child_fd, socket) in (FIRST_FD..).zip(&self.sockets) {
            let parent_fd =
                socket.fd.as_fd().try_clone_to_owned().map_err(|cause| {
                    ControllerError::System { act: "duplicate a socket", cause }
                })?;
            mappings.push(FdMapping { parent_fd, child_fd });
        }
        let names: Vec<_> = self.sockets.iter().map(|s| s.name.as_str()).collect();
        command
            .env("LISTEN_FDS", self.sockets.len().to_string())
            .env("LISTEN_FDNAMES", names.join(":"));
        command.fd_mappings(mappings).map_err(|e| ControllerError::Services(e.to_string()))?;
        Ok(())
    }

    fn identify(&self, child: &Child) -> Result<Process, ControllerError> {
        let gone = || ControllerError::System {
            act: "follow the process",
            cause: std::io::Error::other("it ended at once"),
        };
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).ok_or_else(gone)?;
        let handle = Pid::from_raw(pid)
            .ok_or_else(gone)
            .and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).map_err(|_| gone()))?;
        // Not yet reaped, so it is there even if it has ended.
        let started = start_of(pid).ok_or_else(gone)?;
        Ok(Process { pid, started, handle })
    }

    /// For the record of running services.
    pub(crate) fn recorded(&self) -> Option<Recorded> {
        let process = self.process.as_ref()?;
        let stop_time = self.spec.supervision.stop_time.as_millis();
        Some(Recorded {
            name: self.spec.name.clone(),
            pid: process.pid,
            started: process.started,
            stop_time: u64::try_from(stop_time).unwrap_or(u64::MAX),
        })
    }

    /// What the administrator sees.
    pub(crate) fn report(&self) -> ServiceStatus {
        ServiceStatus {
            name: self.spec.name.clone(),
            state: self.state,
            pid: self.process.as_ref().map(|p| p.pid),
            since: self.since,
            crashes: self.total_crashes,
            status: self.status.clone(),
            last_exit: self.last_exit.clone(),
            depends_on: self.spec.depends_on.clone(),
            sockets: self
                .sockets
                .iter()
                .map(|s| SocketStatus { name: s.name.clone(), address: s.address.to_string() })
                .collect(),
        }
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(EXIT_REFUSED), _) => "exit code 78: its configuration must be mended".to_owned(),
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => match Signal::from_named_raw(signal) {
            Some(Signal::KILL) => "killed (SIGKILL)".to_owned(),
            Some(Signal::TERM) => "ended by SIGTERM".to_owned(),
            Some(Signal::SEGV) => "crashed (SIGSEGV)".to_owned(),
            Some(Signal::ABORT) => "aborted (SIGABRT)".to_owned(),
            _ => format!("ended by signal {signal}"),
        },
        (None, None) => "ended".to_owned(),
    }
}
