//! What a link is doing, for whoever asks.

use concord_base::Timestamp;
use concord_nje::{CloseReason, Direction};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where a link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LinkPhase {
    /// There is no connection; it is waited for, or dialled.
    #[default]
    Down,
    /// A connection is there, and the ends sign on.
    Opening,
    /// Jobs and messages go.
    Active,
    /// An operator stopped it ([`crate::LinkHandle::stop`]).
    Stopped,
}

/// What a link is doing, and what it has done since the node started.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LinkStatus {
    /// Where it stands.
    pub phase: LinkPhase,
    /// Since when.
    pub since: Timestamp,
    /// Who opened the connection, while there is one: `FromOpener` is this node.
    pub opened_by: Option<Direction>,
    /// The largest block that both ends take, while it is active.
    pub buffer_size: Option<u16>,
    /// The partner tells us to wait, with everything.
    pub held: bool,
    /// Jobs that wait for a stream, or for the link.
    pub jobs_waiting: usize,
    /// Jobs that are on their way to the partner.
    pub jobs_going: usize,
    /// Jobs that come, or wait for room here.
    pub jobs_coming: usize,
    /// Jobs that the partner took over.
    pub jobs_sent: u64,
    /// Jobs that were made durable here and acknowledged.
    pub jobs_received: u64,
    /// Messages and commands that came.
    pub messages_received: u64,
    /// Octets that were written.
    pub octets_sent: u64,
    /// Octets that were read.
    pub octets_received: u64,
    /// Why it closed the last time, or could not be opened, and when.
    pub last_trouble: Option<(Timestamp, Trouble)>,
}

/// Why a link is not up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It closed.
    Closed(CloseReason),
    /// The partner could not be reached; the operating system's words.
    Unreachable(String),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Closed(reason) => reason.fmt(f),
            Self::Unreachable(words) => write!(f, "cannot reach the partner: {words}"),
        }
    }
}

/// The status as the link's task writes it and others read it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Board(Arc<Mutex<LinkStatus>>);

impl Board {
    pub(crate) fn read(&self) -> LinkStatus {
        self.write().clone()
    }

    pub(crate) fn write(&self) -> MutexGuard<'_, LinkStatus> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn phase(&self, phase: LinkPhase, now: Timestamp) {
        let mut status = self.write();
        if status.phase != phase {
            status.phase = phase;
            status.since = now;
        }
        if matches!(phase, LinkPhase::Down | LinkPhase::Stopped) {
            (status.opened_by, status.buffer_size, status.held) = (None, None, false);
        }
    }
}
