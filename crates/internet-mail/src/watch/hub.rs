//! Who looks, and what passes.

use super::Seen;
use super::lines::Lines;
use bytes::Bytes;
use concord_base::Clock;
use concord_smtp_tokio::{Tap, Way};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast;

/// Lines that somebody slow may be behind; more are lost to him, and he is told.
const BEHIND: usize = 4096;

/// Who came to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    In,
    Out,
}

/// A line, and what tells whether somebody wants it.
#[derive(Debug)]
pub(super) struct Passed {
    pub(super) seen: Seen,
    /// The destination, of conversations that we began.
    pub(super) domain: Option<String>,
}

/// Everything that is said.
pub(crate) struct Hub {
    clock: Arc<dyn Clock>,
    lines: broadcast::Sender<Arc<Passed>>,
    count: AtomicU64,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}

impl Hub {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, lines: broadcast::Sender::new(BEHIND), count: AtomicU64::new(0) })
    }

    /// A conversation that can be looked at from now on.
    pub(crate) fn conversation(
        self: &Arc<Self>,
        side: Side,
        peer: String,
        domain: Option<String>,
    ) -> Arc<dyn Tap> {
        let commands = if side == Side::In { Way::Received } else { Way::Sent };
        Arc::new(Conversation {
            hub: Arc::clone(self),
            side,
            number: self.count.fetch_add(1, Ordering::Relaxed),
            peer,
            domain,
            lines: Mutex::new(Lines::new(commands)),
        })
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Arc<Passed>> {
        self.lines.subscribe()
    }
}

#[derive(Debug)]
struct Conversation {
    hub: Arc<Hub>,
    side: Side,
    number: u64,
    peer: String,
    domain: Option<String>,
    lines: Mutex<Lines>,
}

impl Tap for Conversation {
    fn is_open(&self) -> bool {
        self.hub.lines.receiver_count() > 0
    }

    fn pass(&self, way: Way, octets: Bytes) {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner).feed(way, &octets);
        for line in lines {
            let seen = Seen {
                at: self.hub.clock.now().0,
                side: if self.side == Side::In { "in" } else { "out" }.to_owned(),
                conversation: self.number,
                peer: self.peer.clone(),
                way: if way == Way::Sent { "sent" } else { "received" }.to_owned(),
                line,
            };
            // Nobody looks any more: nothing to do.
            let _ = self.hub.lines.send(Arc::new(Passed { seen, domain: self.domain.clone() }));
        }
    }
}
