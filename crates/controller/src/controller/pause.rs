//! A pause: every process ends, every listening socket stays open, and nothing
//! starts. Connections wait in the sockets' backlogs.
//!
//! To the table a pause is a restart of each service whose second half does
//! not come: services wait, and [`Controller::paused`] keeps them waiting.

use super::{Controller, Reply};
use crate::error::ControllerError;
use crate::machine::{Event, State};
use crate::status::ServiceStatus;

impl Controller {
    /// Answers when every process has ended. Idempotent.
    pub(super) fn pause(&mut self, reply: Reply<Vec<ServiceStatus>>) {
        if self.shutting_down {
            let _ = reply.send(Err(ControllerError::Stopping));
            return;
        }
        self.pausing.push(reply);
        if self.paused {
            return;
        }
        tracing::info!("paused: services stop, their sockets stay open");
        self.paused = true;
        for (index, service) in self.services.iter().enumerate() {
            let runs = matches!(service.state, State::Starting | State::Ready | State::Crashing);
            if runs && !self.to_end.iter().any(|(i, _)| *i == index) {
                self.to_end.push((index, Event::Restart));
            }
        }
    }

    /// Answers when no service changes its state by itself any more.
    pub(super) fn resume(&mut self, reply: Reply<Vec<ServiceStatus>>) {
        if self.shutting_down {
            let _ = reply.send(Err(ControllerError::Stopping));
            return;
        }
        if self.paused {
            tracing::info!("resumed");
        }
        self.paused = false;
        // What has not been asked to end goes on as if nothing had been.
        self.to_end.retain(|(_, event)| *event == Event::Stop);
        let reports = self.reports();
        for waiting in self.pausing.drain(..) {
            let _ = waiting.send(Ok(reports.clone()));
        }
        self.settling.push(reply);
    }

    /// Whether every process has ended and none starts.
    pub(super) fn is_paused(&self) -> bool {
        self.paused && self.services.iter().all(|s| !s.state.has_process())
    }

    /// Answers whoever waits for that.
    pub(super) fn tell_paused(&mut self) {
        if self.pausing.is_empty() || !self.is_paused() {
            return;
        }
        let reports = self.reports();
        for reply in self.pausing.drain(..) {
            let _ = reply.send(Ok(reports.clone()));
        }
    }

    /// The controller's own words about itself.
    pub(super) fn pause_status(&self) -> Option<String> {
        let words = match (self.paused, self.is_paused()) {
            (_, true) => "paused",
            (true, false) => "pausing",
            (false, false) => return None,
        };
        Some(words.to_owned())
    }
}
