//! What the controller tells the systemd that started it, if one did
//! (sd_notify(3)).

use crate::machine::State;
use crate::status::ServiceStatus;
use sd_notify::NotifyState;
use std::time::Duration;
use tokio::time::Instant;

pub(crate) struct Upward {
    ready: bool,
    stopping: bool,
    status: String,
    /// How often systemd hears from us: half of what it allows.
    every: Option<Duration>,
    next: Option<Instant>,
}

impl Upward {
    pub(crate) fn new() -> Self {
        let every = sd_notify::watchdog_enabled().map(|limit| limit / 2);
        let next = every.map(|every| Instant::now() + every);
        Self { ready: false, stopping: false, status: String::new(), every, next }
    }

    /// Says what changed since the last call.
    pub(crate) fn tell(&mut self, stopping: bool, settled: bool, services: &[ServiceStatus]) {
        let others = || services.iter().skip(1);
        let ready = others().filter(|s| s.state == State::Ready).count();
        let mut status = format!("{ready} of {} services ready", others().count());
        if let Some(word) = services.first().and_then(|itself| itself.status.as_deref()) {
            status = format!("{word}; {status}");
        }
        for failed in others().filter(|s| s.state == State::Failed) {
            status.push_str(&format!("; {} failed", failed.name));
        }
        let mut news = Vec::new();
        if settled && !self.ready {
            self.ready = true;
            news.push(NotifyState::Ready);
        }
        if stopping && !self.stopping {
            self.stopping = true;
            news.push(NotifyState::Stopping);
        }
        if status != self.status {
            self.status = status;
            news.push(NotifyState::Status(&self.status));
        }
        send(&news);
    }

    pub(crate) const fn next_watchdog(&self) -> Option<Instant> {
        self.next
    }

    /// A sign of life if one is due.
    pub(crate) fn pet(&mut self) {
        let now = Instant::now();
        if self.next.is_some_and(|at| now >= at) {
            send(&[NotifyState::Watchdog]);
            self.next = self.every.map(|every| now + every);
        }
    }
}

fn send(news: &[NotifyState<'_>]) {
    if news.is_empty() {
        return;
    }
    if let Err(error) = sd_notify::notify(news) {
        tracing::warn!(%error, "cannot tell systemd");
    }
}
