//! A reload: the services are read anew, and what runs becomes what they say.
//!
//! First everything is prepared that can fail: the services are read and
//! checked, and new sockets are opened. Only then anything changes.

use super::{Controller, Reply, Report, replace};
use crate::error::{ControllerError, SocketProblem};
use crate::graph;
use crate::machine::{Event, State};
use crate::service::Service;
use crate::sockets::{self, OpenSocket};
use crate::spec::{ServiceSpec, SocketAddress, SocketSpec};
use crate::status::ServiceStatus;

/// What becomes of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It was not there, or not enabled, and starts.
    Begins,
    /// It gets another process.
    Renewed,
    /// It has none and gets none.
    Rests,
    /// Its process goes on.
    Stays,
}

struct Planned {
    spec: ServiceSpec,
    fate: Fate,
    /// For [`Fate::Begins`] and [`Fate::Renewed`].
    sockets: Vec<OpenSocket>,
}

impl Controller {
    /// Answers with all services once no one changes its state by itself.
    pub(super) fn reload(
        &mut self,
        reply: Reply<Vec<ServiceStatus>>,
        observer: &mut impl FnMut(Report<'_>),
    ) {
        match self.prepare() {
            Ok((planned, sockets_wait)) => {
                self.converge(planned, observer);
                self.sockets_wait |= sockets_wait;
                self.settling.push(reply);
            }
            Err(error) => {
                tracing::warn!(%error, "nothing was reloaded");
                let _ = reply.send(Err(error));
            }
        }
    }

    /// What is to be done, with every new socket open; changes nothing. Says
    /// too whether sockets are missing that a process of ours still holds.
    fn prepare(&self) -> Result<(Vec<Planned>, bool), ControllerError> {
        if self.shutting_down {
            return Err(ControllerError::Stopping);
        }
        let reload = self.config.reload.as_ref().ok_or_else(|| {
            let cause = "nobody told this controller where its services stand; start it anew";
            ControllerError::Reload(cause.to_owned())
        })?;
        let specs = reload.read().map_err(ControllerError::Reload)?;
        graph::check(&specs)?;
        let mut planned: Vec<Planned> = specs
            .into_iter()
            .map(|spec| Planned { fate: self.fate(&spec), spec, sockets: Vec::new() })
            .collect();
        let mut pool = self.given_up(&planned)?;
        let missing = keep_open(&mut planned, &mut pool);
        let sockets_wait = open_missing(&mut planned, missing, &pool)?;
        Ok((planned, sockets_wait))
    }

    fn fate(&self, spec: &ServiceSpec) -> Fate {
        let had = self.services.iter().find(|s| s.spec.name == spec.name && !s.leaving);
        match had {
            _ if !spec.enabled => Fate::Rests,
            None => Fate::Begins,
            Some(had) if !had.spec.enabled => Fate::Begins,
            // An administrator stopped it.
            Some(had) if matches!(had.state, State::Stopped | State::Stopping) => Fate::Rests,
            Some(had) if is_same(&had.spec, spec) => Fate::Stays,
            Some(_) => Fate::Renewed,
        }
    }

    /// The open sockets of all services that do not stay as they are.
    fn given_up(&self, planned: &[Planned]) -> Result<Vec<OpenSocket>, ControllerError> {
        let stays = |service: &&Service| {
            planned.iter().any(|p| p.spec.name == service.spec.name && p.fate == Fate::Stays)
        };
        let giving = self.services.iter().filter(|service| !stays(service));
        giving.flat_map(|service| &service.sockets).map(OpenSocket::duplicate).collect()
    }

    /// Makes what runs what was planned.
    fn converge(&mut self, planned: Vec<Planned>, observer: &mut impl FnMut(Report<'_>)) {
        let mut closed = Vec::new();
        for (index, service) in self.services.iter_mut().enumerate() {
            if !planned.iter().any(|p| p.spec.name == service.spec.name) {
                service.leaving = true;
                self.to_end.retain(|(i, _)| *i != index);
                self.to_end.push((index, Event::Stop));
            }
        }
        for Planned { spec, fate, sockets } in planned {
            let found = self.services.iter().position(|s| s.spec.name == spec.name);
            let index = found.unwrap_or_else(|| {
                self.services.push(Service::new(spec.clone(), Vec::new(), &self.clock));
                self.services.len() - 1
            });
            let Some(service) = self.services.get_mut(index) else { continue };
            let was_enabled = std::mem::replace(&mut service.spec, spec).enabled;
            service.leaving = false;
            if matches!(fate, Fate::Begins | Fate::Renewed) {
                closed.extend(std::mem::replace(&mut service.sockets, sockets));
            }
            let disabled = was_enabled && !service.spec.enabled;
            match fate {
                Fate::Stays => {}
                Fate::Rests if disabled => self.to_end.push((index, Event::Stop)),
                Fate::Rests => {}
                Fate::Begins => {
                    self.to_end.retain(|(i, _)| *i != index);
                    self.feed(index, Event::Start, observer);
                }
                Fate::Renewed => self.feed(index, Event::Restart, observer),
            }
        }
        for socket in closed {
            replace::forget(&self.services, &socket.asked);
        }
    }

    /// Forgets services that are gone from the list and have stopped.
    pub(super) fn forget_left(&mut self) {
        while let Some(index) =
            self.services.iter().position(|s| s.leaving && s.state == State::Stopped)
        {
            let gone = self.services.remove(index);
            let later = |i: usize| if i > index { i - 1 } else { i };
            self.to_end.retain(|(i, _)| *i != index);
            self.to_end.iter_mut().for_each(|(i, _)| *i = later(*i));
            for (i, reply) in std::mem::take(&mut self.waiters) {
                if i == index {
                    let _ = reply.send(Ok(gone.report()));
                } else {
                    self.waiters.push((later(i), reply));
                }
            }
            for socket in &gone.spec.sockets {
                replace::forget(&self.services, &socket.address);
            }
            let notices = self.config.run_dir.join(format!("notify-{}.sock", gone.spec.name));
            replace::forget(&self.services, &SocketAddress::Unix(notices));
        }
    }
}

/// Whether the process need not know of the difference.
fn is_same(a: &ServiceSpec, b: &ServiceSpec) -> bool {
    a.program == b.program
        && a.args == b.args
        && a.sockets == b.sockets
        && a.depends_on == b.depends_on
        && a.environment == b.environment
        && a.supervision.watchdog == b.supervision.watchdog
}

/// Gives each service what is open already; says what each misses.
fn keep_open(planned: &mut [Planned], pool: &mut Vec<OpenSocket>) -> Vec<(usize, SocketSpec)> {
    let mut missing = Vec::new();
    for (index, planned) in planned.iter_mut().enumerate() {
        if !matches!(planned.fate, Fate::Begins | Fate::Renewed) {
            continue;
        }
        for wanted in &planned.spec.sockets {
            match sockets::take(pool, wanted) {
                Some(open) => planned.sockets.push(open),
                None => missing.push((index, wanted.clone())),
            }
        }
    }
    missing
}

/// Opens what no process of ours has. `closing` is what will be closed: a
/// socket that collides with one of these is opened when its service starts.
fn open_missing(
    planned: &mut [Planned],
    missing: Vec<(usize, SocketSpec)>,
    closing: &[OpenSocket],
) -> Result<bool, ControllerError> {
    let mut waits = false;
    let mut opened = Vec::new();
    let mut problems: Vec<SocketProblem> = Vec::new();
    for (index, wanted) in missing {
        if closing.iter().any(|open| open.asked.collides(&wanted.address)) {
            waits = true;
            continue;
        }
        let Some(planned) = planned.get_mut(index) else { continue };
        match sockets::open_one(&wanted) {
            Ok(open) => {
                planned.sockets.extend(open);
                opened.push(wanted.address);
            }
            // It says so when it starts, and fails alone.
            Err(_) if planned.spec.optional => {}
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        return Ok(waits);
    }
    for address in opened {
        replace::forget(&[], &address);
    }
    Err(ControllerError::Sockets(problems))
}
