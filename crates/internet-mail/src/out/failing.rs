//! Hosts that could not be used a moment ago (RFC 5321 section 4.5.4.1: a
//! client remembers hosts that it cannot reach).

use lru::LruCache;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Hosts that are remembered; more mean that the fault is ours.
const MOST: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4095);
/// So long others of the same destination are tried before. Every message would
/// wait for a dead host else; much longer and one that is well again idles.
const REMEMBERED: Duration = Duration::from_secs(60);

/// When each host failed last.
#[derive(Debug)]
pub(super) struct Failing(Mutex<LruCache<SocketAddr, Instant>>);

impl Default for Failing {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(MOST)))
    }
}

impl Failing {
    fn table(&self) -> std::sync::MutexGuard<'_, LruCache<SocketAddr, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, host: SocketAddr) {
        self.table().put(host, Instant::now());
    }

    pub(super) fn well(&self, host: SocketAddr) {
        self.table().pop(&host);
    }

    pub(super) fn is_failing(&self, host: SocketAddr) -> bool {
        self.table().peek(&host).is_some_and(|since| since.elapsed() < REMEMBERED)
    }
}
