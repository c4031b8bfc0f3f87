//! What follows from the services' states: who may stop, who may start, who
//! has waited long enough for an answer.

use super::{Controller, Report};
use crate::machine::{Event, State};
use crate::service::Service;

impl Controller {
    /// Everything that follows from what the services' states are now.
    pub(super) fn progress(&mut self, observer: &mut impl FnMut(Report<'_>)) {
        loop {
            if self.end_one(observer) || self.start_one(observer) {
                continue;
            }
            break;
        }
        self.forget_left();
        for (index, reply) in std::mem::take(&mut self.waiters) {
            match self.services.get(index) {
                Some(s) if self.is_settled(s) && !self.ends(index) => {
                    let _ = reply.send(Ok(s.report()));
                }
                _ => self.waiters.push((index, reply)),
            }
        }
        self.tell_paused();
        if self.all_settled() {
            let reports = self.reports();
            for reply in self.settling.drain(..) {
                let _ = reply.send(Ok(reports.clone()));
            }
            if !self.settled && !self.paused {
                self.settled = true;
                observer(Report::Settled(&reports));
            }
        }
    }

    fn ends(&self, index: usize) -> bool {
        self.to_end.iter().any(|(i, _)| *i == index)
    }

    /// Whether no service will change its state by itself.
    fn all_settled(&self) -> bool {
        self.to_end.is_empty() && self.services.iter().all(|s| self.is_settled(s) && !s.leaving)
    }

    /// Whether the service stays as it is until somebody acts: one that waits
    /// for a service that is stopped or failed does too.
    fn is_settled(&self, service: &Service) -> bool {
        let rests = |name: &String| {
            let found = self.services.iter().find(|s| s.spec.name == *name);
            found.is_some_and(|s| s.state != State::Ready && self.is_settled(s))
        };
        service.state.is_settled()
            || (service.state == State::Waiting && self.paused)
            || (service.state == State::Waiting && service.spec.depends_on.iter().any(rests))
    }

    /// Asks one service to end whose dependents have all ended.
    fn end_one(&mut self, observer: &mut impl FnMut(Report<'_>)) -> bool {
        let free = self.to_end.iter().position(|(index, _)| {
            let Some(service) = self.services.get(*index) else {
                return true;
            };
            let needed = |other: &Service| {
                other.state.has_process() && other.spec.depends_on.contains(&service.spec.name)
            };
            !self.services.iter().any(needed)
        });
        let Some(position) = free else {
            return false;
        };
        let (index, event) = self.to_end.swap_remove(position);
        self.feed(index, event, observer);
        true
    }

    /// Starts one waiting service whose dependencies are all ready.
    fn start_one(&mut self, observer: &mut impl FnMut(Report<'_>)) -> bool {
        if self.paused || self.waits_for_sockets() {
            return false;
        }
        let ready = |name: &String| {
            self.services.iter().any(|s| s.spec.name == *name && s.state == State::Ready)
        };
        let startable =
            |s: &Service| s.state == State::Waiting && s.spec.depends_on.iter().all(ready);
        match self.services.iter().position(startable) {
            Some(index) => {
                self.feed(index, Event::DependenciesReady, observer);
                true
            }
            None => false,
        }
    }

    /// Whether processes that are about to end still hold sockets that a
    /// reload gave to others.
    fn waits_for_sockets(&mut self) -> bool {
        let ending = |s: &Service| matches!(s.state, State::Stopping | State::Restarting);
        let held = !self.to_end.is_empty() || self.services.iter().any(ending);
        self.sockets_wait = self.sockets_wait && held;
        self.sockets_wait
    }
}
