//! What follows from the services' states: who may stop, who may start, who
//! has waited long enough for an answer.

use super::{Controller, Report};
use crate::machine::{Event, State};
use crate::service::Service;

impl Controller {
    /// Everything that follows from what the services' states are now.
    pub(super) fn progress(&mut self, observer: &mut impl FnMut(Report<'_>)) {
        loop {
            if self.stop_one(observer) || self.start_one(observer) {
                continue;
            }
            break;
        }
        for (index, reply) in std::mem::take(&mut self.waiters) {
            match self.services.get(index) {
                Some(s) if self.is_settled(s) && !self.to_stop.contains(&index) => {
                    let _ = reply.send(Ok(s.report()));
                }
                _ => self.waiters.push((index, reply)),
            }
        }
        if !self.settled && self.services.iter().all(|s| self.is_settled(s)) {
            self.settled = true;
            observer(Report::Settled(&self.reports()));
        }
    }

    /// Whether the service stays as it is until somebody acts: one that waits
    /// for a service that is stopped or failed does too.
    fn is_settled(&self, service: &Service) -> bool {
        let rests = |name: &String| {
            let found = self.services.iter().find(|s| s.spec.name == *name);
            found.is_some_and(|s| s.state != State::Ready && self.is_settled(s))
        };
        service.state.is_settled()
            || (service.state == State::Waiting && service.spec.depends_on.iter().any(rests))
    }

    /// Asks one service to stop whose dependents have all stopped.
    fn stop_one(&mut self, observer: &mut impl FnMut(Report<'_>)) -> bool {
        let free = self.to_stop.iter().position(|index| {
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
        let index = self.to_stop.swap_remove(position);
        self.feed(index, Event::Stop, observer);
        true
    }

    /// Starts one waiting service whose dependencies are all ready.
    fn start_one(&mut self, observer: &mut impl FnMut(Report<'_>)) -> bool {
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
}
