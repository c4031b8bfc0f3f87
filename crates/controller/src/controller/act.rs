//! What an administrator asks of one service, or of all: start, stop, restart.

use super::{Controller, Reply, Report};
use crate::error::ControllerError;
use crate::machine::{Event, State};
use crate::status::{ServiceStatus, Verb};
use crate::{control, graph};

impl Controller {
    pub(super) fn act(
        &mut self,
        name: &str,
        verb: Verb,
        reply: Reply<ServiceStatus>,
        observer: &mut impl FnMut(Report<'_>),
    ) {
        let found = self.services.iter().position(|s| s.spec.name == name && !s.leaving);
        let Some(index) = found else {
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
                    self.keep(index);
                    self.feed(index, Event::Start, observer);
                }
            }
            Verb::Stop => {
                for index in graph::with_dependents(specs(), index) {
                    self.to_end.retain(|(i, _)| *i != index);
                    self.to_end.push((index, Event::Stop));
                }
            }
            Verb::Restart => {
                self.keep(index);
                self.feed(index, Event::Restart, observer);
            }
        }
        self.waiters.push((index, reply));
    }

    /// A stop that was asked for and has not begun is not wanted any more. A
    /// pause still wants the process to end.
    fn keep(&mut self, index: usize) {
        self.to_end.retain(|(i, _)| *i != index);
        let runs = |s: &crate::service::Service| matches!(s.state, State::Starting | State::Ready);
        if self.paused && self.services.get(index).is_some_and(runs) {
            self.to_end.push((index, Event::Restart));
        }
    }

    /// Stops everything in order; asked again, at once.
    pub(super) fn end(&mut self, observer: &mut impl FnMut(Report<'_>)) {
        if self.shutting_down {
            for index in 0..self.services.len() {
                self.feed(index, Event::Stop, observer);
                self.feed(index, Event::StopTimeOut, observer);
            }
            return;
        }
        self.shutting_down = true;
        self.to_end = (0..self.services.len()).map(|index| (index, Event::Stop)).collect();
        observer(Report::Stopping);
    }
}
