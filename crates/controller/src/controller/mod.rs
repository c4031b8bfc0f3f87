//! The controller at work: one task that owns every service and feeds the
//! table with what happens.

mod order;
mod process;

use crate::error::ControllerError;
use crate::lock::Lock;
use crate::machine::{Action, Event, State};
use crate::service::Service;
use crate::spec::{ControllerConfig, SocketAddress};
use crate::status::{ServiceStatus, Verb};
use crate::stop_signals::StopSignals;
use crate::{control, graph, leftovers, logs, notify, sockets, upward};
use concord_base::{Clock, SystemClock, Timestamp};
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

/// What happens outside and reaches the controller's task.
pub(crate) enum Happening {
    Notice(usize, u64, notify::Notice),
    Ended(usize, u64, ExitStatus),
    List(oneshot::Sender<Vec<ServiceStatus>>),
    Act(String, Verb, oneshot::Sender<Result<ServiceStatus, ControllerError>>),
    Shutdown,
}

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
    sender: mpsc::Sender<Happening>,
    receiver: mpsc::Receiver<Happening>,
    waiters: Vec<(usize, oneshot::Sender<Result<ServiceStatus, ControllerError>>)>,
    /// Services that are to stop once nothing that depends on them runs.
    to_stop: Vec<usize>,
    shutting_down: bool,
    settled: bool,
    cleaned: Vec<String>,
    begun: Timestamp,
    next_rotation: Instant,
    clock: SystemClock,
    _lock: Lock,
}

impl Controller {
    /// Takes the lock, ends what a dead controller left, and opens every
    /// socket. Blocks while it waits for leftovers. Needs a Tokio runtime.
    pub fn open(config: ControllerConfig) -> Result<Self, ControllerError> {
        graph::check(&config.services)?;
        make_dir(&config.run_dir)?;
        make_dir(&config.log_dir)?;
        let lock = Lock::take(&config.run_dir.join("controller.lock"))?;
        let cleaned = leftovers::clean(&config.run_dir.join("services.json"))?;
        let mut services = open_services(&config)?;
        services.shrink_to_fit();
        let control = control::listen(&config.control_socket)?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        let clock = SystemClock;
        Ok(Self {
            config,
            services,
            control: Some(control),
            sender,
            receiver,
            waiters: Vec::new(),
            to_stop: Vec::new(),
            shutting_down: false,
            settled: false,
            cleaned,
            begun: clock.now(),
            next_rotation: Instant::now() + ROTATE_EVERY,
            clock,
            _lock: lock,
        })
    }

    /// Starts every service and runs until SIGTERM, SIGINT, SIGHUP or a
    /// request ends it and every service has stopped. A second signal kills what has not
    /// stopped.
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
            self.feed(index, Event::Start, &mut observer);
        }
        loop {
            self.progress(&mut observer);
            systemd.tell(self.shutting_down, self.settled, &self.reports());
            if self.shutting_down && self.services.iter().all(|s| !s.state.has_process()) {
                break;
            }
            self.step(&mut stops, &mut systemd, &mut observer).await;
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
            Happening::Notice(index, epoch, notice) => {
                let Some(service) = self.services.get_mut(index).filter(|s| s.epoch == epoch)
                else {
                    return;
                };
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
            Happening::Ended(index, epoch, status) => {
                if let Some(service) = self.services.get_mut(index)
                    && service.epoch == epoch
                {
                    let event = service.ended(status);
                    self.feed(index, event, observer);
                }
            }
            Happening::List(reply) => {
                let _ = reply.send(self.reports());
            }
            Happening::Act(name, verb, reply) => self.act(&name, verb, reply, observer),
            Happening::Shutdown => self.end(observer),
        }
    }

    fn act(
        &mut self,
        name: &str,
        verb: Verb,
        reply: oneshot::Sender<Result<ServiceStatus, ControllerError>>,
        observer: &mut impl FnMut(Report<'_>),
    ) {
        let Some(index) = self.services.iter().position(|s| s.spec.name == name) else {
            let known = self.services.iter().map(|s| s.spec.name.clone()).collect();
            let error = if name == control::ITSELF {
                ControllerError::Itself(verb.as_str())
            } else {
                ControllerError::NoService { name: name.to_owned(), known }
            };
            let _ = reply.send(Err(error));
            return;
        };
        if self.shutting_down && verb != Verb::Stop {
            let _ = reply.send(Err(ControllerError::Stopping));
            return;
        }
        let specs = || self.services.iter().map(|s| &s.spec);
        match verb {
            Verb::Start => {
                for index in graph::with_dependencies(specs(), index) {
                    self.to_stop.retain(|i| *i != index);
                    self.feed(index, Event::Start, observer);
                }
            }
            Verb::Stop => self.to_stop.extend(graph::with_dependents(specs(), index)),
            Verb::Restart => {
                self.to_stop.retain(|i| *i != index);
                self.feed(index, Event::Restart, observer);
            }
        }
        self.waiters.push((index, reply));
    }

    /// Stops everything in order; asked again, at once.
    fn end(&mut self, observer: &mut impl FnMut(Report<'_>)) {
        if self.shutting_down {
            for index in 0..self.services.len() {
                self.feed(index, Event::Stop, observer);
                self.feed(index, Event::StopTimeOut, observer);
            }
            return;
        }
        self.shutting_down = true;
        self.to_stop = (0..self.services.len()).collect();
        observer(Report::Stopping);
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
            status: None,
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

/// Opens the sockets of all services, so that every problem is told at once.
fn open_services(config: &ControllerConfig) -> Result<Vec<Service>, ControllerError> {
    let mut services = Vec::new();
    let mut problems = Vec::new();
    for spec in &config.services {
        match sockets::open(&spec.sockets) {
            Ok(open) => services.push(Service::new(spec.clone(), open, &SystemClock)),
            Err(ControllerError::Sockets(more)) => problems.extend(more),
            Err(other) => return Err(other),
        }
    }
    if problems.is_empty() { Ok(services) } else { Err(ControllerError::Sockets(problems)) }
}

fn make_dir(path: &Path) -> Result<(), ControllerError> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(ControllerError::io("make", path))
}
