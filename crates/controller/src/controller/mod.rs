//! The controller at work: one task that owns every service and feeds the
//! table with what happens.

mod act;
mod order;
mod pause;
mod process;
mod reload;
mod replace;

use crate::error::ControllerError;
use crate::lock::Lock;
use crate::machine::{Action, Event, State};
use crate::service::Service;
use crate::spec::{ControllerConfig, SocketAddress};
use crate::status::{ServiceStatus, Verb};
use crate::stop_signals::StopSignals;
use crate::{control, graph, inherit, leftovers, logs, notify, sockets, upward};
use concord_base::{Clock, SystemClock, Timestamp};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// Happenings that wait for the controller's task. Each sender waits when it
/// is full, so a service that floods its notify socket slows only itself.
const QUEUE: usize = 256;
/// How often log files are measured.
const ROTATE_EVERY: Duration = Duration::from_secs(5);

/// Where an answer goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, ControllerError>>;

/// What happens outside and reaches the controller's task. Numbers are of
/// processes.
pub(crate) enum Happening {
    Notice(u64, notify::Notice),
    Ended(u64, ExitStatus),
    List(oneshot::Sender<Vec<ServiceStatus>>),
    Act(String, Verb, Reply<ServiceStatus>),
    Reload(Reply<Vec<ServiceStatus>>),
    Pause(Reply<Vec<ServiceStatus>>),
    Resume(Reply<Vec<ServiceStatus>>),
    /// The answer is where to hear of it if the program could not be executed.
    Replace(Successor, Reply<oneshot::Receiver<ControllerError>>),
    Shutdown,
}

pub(crate) use replace::Successor;

/// What the controller tells whoever runs it.
#[derive(Debug)]
pub enum Report<'a> {
    /// Processes of a dead controller were ended before the start.
    Cleaned(&'a [String]),
    /// A service changed its state.
    Changed {
        /// Its name.
        service: &'a str,
        /// What it was doing.
        from: State,
        /// What it is doing now.
        to: State,
        /// Why, if it ended without being asked.
        note: Option<&'a str>,
    },
    /// For the first time no service will change its state by itself: each is
    /// ready, has failed, or waits for one that has.
    Settled(&'a [ServiceStatus]),
    /// Everything is being stopped.
    Stopping,
}

/// A controller that holds its lock and its sockets.
pub struct Controller {
    config: ControllerConfig,
    services: Vec<Service>,
    control: Option<UnixListener>,
    /// The control socket once more, for the program that takes over.
    control_fd: OwnedFd,
    sender: mpsc::Sender<Happening>,
    receiver: mpsc::Receiver<Happening>,
    waiters: Vec<(usize, Reply<ServiceStatus>)>,
    /// Who waits until no service changes its state by itself.
    settling: Vec<Reply<Vec<ServiceStatus>>>,
    /// Who waits until every process has ended.
    pausing: Vec<Reply<Vec<ServiceStatus>>>,
    /// Services that are to end, and how, once nothing that depends on them
    /// runs: [`Event::Stop`], or [`Event::Restart`] for a pause.
    to_end: Vec<(usize, Event)>,
    /// Nothing starts.
    paused: bool,
    /// Services that do not start with the controller, because they were
    /// stopped in the one before it.
    stopped: Vec<String>,
    /// A reload left sockets to be opened once other processes have ended.
    sockets_wait: bool,
    replacement: Option<replace::Replacement>,
    /// Processes started until now.
    processes: u64,
    shutting_down: bool,
    settled: bool,
    cleaned: Vec<String>,
    begun: Timestamp,
    next_rotation: Instant,
    clock: SystemClock,
    lock: Lock,
}

impl Controller {
    /// Takes the lock, ends what a dead controller left, and opens every
    /// socket. Blocks while it waits for leftovers. Needs a Tokio runtime.
    ///
    /// If the program before this one in the same process was a controller
    /// that was replaced, it goes on with its lock and its sockets, and paused.
    pub fn open(config: ControllerConfig) -> Result<Self, ControllerError> {
        graph::check(&config.services)?;
        make_dir(&config.run_dir)?;
        make_dir(&config.log_dir)?;
        let inherited = inherit::take_over();
        let paused = inherited.is_some();
        let mut inherited = inherited.unwrap_or_default();
        let lock_file = config.run_dir.join("controller.lock");
        let held = replace::own(&mut inherited, inherit::LOCK, &lock_file);
        let lock = Lock::take(&lock_file, held)?;
        let cleaned = leftovers::clean(&config.run_dir.join("services.json"))?;
        let held = replace::own(&mut inherited, inherit::CONTROL, &config.control_socket);
        let stopped = std::mem::take(&mut inherited.stopped);
        let services = replace::open_services(&config, inherited, &stopped)?;
        let (control, control_fd) = control::listen(&config.control_socket, held)?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        let clock = SystemClock;
        Ok(Self {
            config,
            services,
            control: Some(control),
            control_fd,
            sender,
            receiver,
            waiters: Vec::new(),
            settling: Vec::new(),
            pausing: Vec::new(),
            to_end: Vec::new(),
            paused,
            stopped,
            sockets_wait: false,
            replacement: None,
            processes: 0,
            shutting_down: false,
            settled: false,
            cleaned,
            begun: clock.now(),
            next_rotation: Instant::now() + ROTATE_EVERY,
            clock,
            lock,
        })
    }

    /// Starts every service that is enabled and runs until SIGTERM, SIGINT,
    /// SIGHUP or a request ends it and every service has stopped. A second
    /// signal kills what has not stopped.
    ///
    /// Must run on the main thread, on a current-thread runtime: services end
    /// with the thread that started them (prctl(2), PR_SET_PDEATHSIG).
    pub async fn run(
        mut self,
        mut observer: impl FnMut(Report<'_>),
    ) -> Result<(), ControllerError> {
        let mut stops = StopSignals::new()
            .map_err(|cause| ControllerError::System { act: "handle signals", cause })?;
        let server = self.control.take().map(|listener| {
            let state = control::Access::new(self.sender.clone(), self.config.log_dir.clone());
            tokio::spawn(control::serve(listener, state))
        });
        let mut systemd = upward::Upward::new();
        if !self.cleaned.is_empty() {
            observer(Report::Cleaned(&self.cleaned));
        }
        for index in 0..self.services.len() {
            let starts = |s: &Service| s.spec.enabled && !self.stopped.contains(&s.spec.name);
            if self.services.get(index).is_some_and(starts) {
                self.feed(index, Event::Start, &mut observer);
            }
        }
        loop {
            self.progress(&mut observer);
            systemd.tell(self.shutting_down, self.settled, &self.reports());
            if self.shutting_down && self.services.iter().all(|s| !s.state.has_process()) {
                break;
            }
            self.step(&mut stops, &mut systemd, &mut observer).await;
            self.become_successor().await;
        }
        if let Some(server) = server {
            server.abort();
        }
        for path in self.unix_sockets() {
            let _ = sockets::remove_stale(&path);
        }
        Ok(())
    }

    /// Waits for one happening and takes it in.
    async fn step(
        &mut self,
        stops: &mut StopSignals,
        systemd: &mut upward::Upward,
        observer: &mut impl FnMut(Report<'_>),
    ) {
        let timer = self.services.iter().filter_map(|s| s.deadline).min();
        let wake = timer.unwrap_or(self.next_rotation).min(self.next_rotation);
        let wake = systemd.next_watchdog().map_or(wake, |at| wake.min(at));
        tokio::select! {
            happening = self.receiver.recv() => {
                if let Some(happening) = happening {
                    self.take(happening, observer);
                }
            }
            () = stops.recv() => self.end(observer),
            () = tokio::time::sleep_until(wake) => {}
        }
        self.timers(observer);
        systemd.pet();
    }

    fn take(&mut self, happening: Happening, observer: &mut impl FnMut(Report<'_>)) {
        match happening {
            Happening::Notice(epoch, notice) => {
                let Some((index, service)) = self.of_process(epoch) else { return };
                if notice.watchdog {
                    service.pet_watchdog();
                }
                if notice.ready {
                    self.feed(index, Event::Ready, observer);
                }
                if let (Some(status), Some(service)) = (notice.status, self.services.get_mut(index))
                {
                    service.set_status(status);
                }
            }
            Happening::Ended(epoch, status) => {
                if let Some((index, service)) = self.of_process(epoch) {
                    let event = service.ended(status);
                    self.feed(index, event, observer);
                }
            }
            Happening::List(reply) => {
                let _ = reply.send(self.reports());
            }
            Happening::Act(name, verb, reply) => self.act(&name, verb, reply, observer),
            Happening::Reload(reply) => self.reload(reply, observer),
            Happening::Pause(reply) => self.pause(reply),
            Happening::Resume(reply) => self.resume(reply),
            Happening::Replace(successor, reply) => self.replace(successor, reply),
            Happening::Shutdown => self.end(observer),
        }
    }

    /// The service whose process has this number.
    fn of_process(&mut self, epoch: u64) -> Option<(usize, &mut Service)> {
        self.services.iter_mut().enumerate().find(|(_, s)| s.epoch == epoch)
    }

    fn timers(&mut self, observer: &mut impl FnMut(Report<'_>)) {
        let now = Instant::now();
        for index in 0..self.services.len() {
            if let Some(event) = self.services.get_mut(index).and_then(|s| s.time_out(now)) {
                self.feed(index, event, observer);
            }
        }
        if now >= self.next_rotation {
            self.next_rotation = now + ROTATE_EVERY;
            let (size, keep) = (self.config.rotate_size, self.config.rotate_keep);
            let names = self.services.iter().map(|s| s.spec.name.as_str());
            for name in names.chain([control::ITSELF]) {
                if let Err(error) = logs::rotate(&self.config.log_dir, name, size, keep) {
                    tracing::warn!(service = name, %error, "cannot put the log file aside");
                }
            }
        }
    }

    /// Looks the pair up in the table and does what it says.
    fn feed(&mut self, index: usize, event: Event, observer: &mut impl FnMut(Report<'_>)) {
        let Some(service) = self.services.get_mut(index) else {
            return;
        };
        let Some(row) = service.state.on(event) else {
            return;
        };
        let from = service.state;
        for action in row.actions {
            service.act(*action);
        }
        service.enter(row.next, &self.clock);
        let unasked = matches!(row.next, State::BackOff | State::Failed);
        let note = if event == Event::WatchdogMissed {
            Some("no sign of life")
        } else if event == Event::StartTimeOut {
            Some("not ready in time")
        } else {
            service.last_exit.as_deref().filter(|_| unasked)
        };
        if from != row.next {
            tracing::info!(service = service.spec.name, %from, to = %row.next, note, "state");
            observer(Report::Changed { service: &service.spec.name, from, to: row.next, note });
        }
        if row.actions.contains(&Action::Spawn) {
            self.spawn(index, observer);
        }
        self.record();
    }

    fn reports(&self) -> Vec<ServiceStatus> {
        let itself = ServiceStatus {
            name: control::ITSELF.to_owned(),
            state: if self.shutting_down { State::Stopping } else { State::Ready },
            pid: i32::try_from(std::process::id()).ok(),
            since: self.begun,
            crashes: 0,
            status: self.pause_status(),
            last_exit: None,
            depends_on: Vec::new(),
            sockets: vec![crate::status::SocketStatus {
                name: "control".to_owned(),
                address: self.config.control_socket.display().to_string(),
            }],
        };
        std::iter::once(itself).chain(self.services.iter().map(Service::report)).collect()
    }

    fn unix_sockets(&self) -> Vec<std::path::PathBuf> {
        let mut paths = vec![self.config.control_socket.clone()];
        for service in &self.services {
            paths.push(self.config.run_dir.join(format!("notify-{}.sock", service.spec.name)));
            for socket in &service.spec.sockets {
                if let SocketAddress::Unix(path) = &socket.address {
                    paths.push(path.clone());
                }
            }
        }
        paths
    }
}

fn make_dir(path: &Path) -> Result<(), ControllerError> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(ControllerError::io("make", path))
}
