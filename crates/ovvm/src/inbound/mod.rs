//! From the hosts to the core.
//!
//! A partner that was not told that its file was taken keeps it and sends it
//! again. So a file is acknowledged when the core has said `250`, and everything
//! that becomes of a file is one message for the core, under the file's key: the
//! message itself, a report to its sender, or the file put aside. What comes again
//! is known by that key, in the core.

mod arriving;
mod aside;
mod bring;
mod directory;
mod in_body;
mod in_hand;
mod letter;
mod mailer;
mod refuse;
mod submit;
mod told;

pub(crate) use in_hand::InHand;

use crate::shared::Shared;
use crate::telemetry::ACTIVE_LINKS;
pub(crate) use arriving::Arriving;
use concord_nje::{Message, Name, StreamId};
use concord_nje_tokio::{Application, IncomingJob, LinkNews};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What the node's links call.
pub(crate) struct FromHosts {
    shared: Arc<Shared>,
    stop: CancellationToken,
    /// Files that are being handed to the core.
    finishing: TaskTracker,
}

impl FromHosts {
    /// Takes files until `stop` is cancelled; partners wait then.
    pub fn new(shared: Arc<Shared>, stop: CancellationToken) -> Self {
        Self { shared, stop, finishing: TaskTracker::new() }
    }

    /// A job of a partner's; none while there is no room, or no time left.
    pub fn arriving(&self, partner: Name, stream: StreamId) -> Option<Arriving> {
        if self.stop.is_cancelled() {
            return None;
        }
        let shared = Arc::clone(&self.shared);
        Arriving::new(shared, partner, stream.kind(), self.finishing.clone())
    }

    /// Waits until no file is being handed to the core. What partners are still
    /// sending then, they send again.
    pub async fn idle(&self) {
        self.finishing.close();
        self.finishing.wait().await;
    }
}

impl Application for FromHosts {
    fn link(&self, partner: Name, news: &LinkNews) {
        let turned = self.shared.links.take(partner, news, self.shared.instant());
        let all = self.shared.links.all();
        let active = all.iter().filter(|(_, state)| state.active).count();
        metrics::gauge!(ACTIVE_LINKS).set(f64::from(u32::try_from(active).unwrap_or(u32::MAX)));
        (self.shared.say)(&format!("{active} of {} links are active", all.len()));
        let told = turned || matches!(news, LinkNews::CaptureStopped(_));
        match told {
            true => tracing::info!(audience = "operator", %partner, ?news, "a link changed"),
            false => tracing::debug!(%partner, ?news, "a link is as it was"),
        }
    }

    fn job(&self, partner: Name, stream: StreamId) -> Option<Box<dyn IncomingJob>> {
        Some(Box::new(self.arriving(partner, stream)?))
    }

    /// Interactive messages were never mail (Q198903).
    fn message(&self, partner: Name, message: Message) {
        let text = message.words();
        tracing::debug!(%partner, to = %message.user, text, "a message came");
        self.shared.operators.console.heard(partner, message, self.shared.clock.now());
    }
}
