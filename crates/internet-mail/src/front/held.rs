//! A message in memory, while it is looked into.

use bytes::{Bytes, BytesMut};
use concord_smtp::Reply;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Octets that a permit stands for: a semaphore counts in 32 bits.
const UNIT: usize = 1024;
/// Permits that are taken at a time.
const STEP: u32 = 64;
/// How long a message waits for memory that others have; then its client comes
/// again.
const PATIENCE: Duration = Duration::from_secs(20);

/// Memory for messages that are looked into, shared by all sessions.
#[derive(Debug, Clone)]
pub(super) struct Memory(Arc<Semaphore>);

impl Memory {
    pub(super) fn new(octets: u64) -> Self {
        let units = usize::try_from(octets / UNIT as u64).unwrap_or(Semaphore::MAX_PERMITS);
        Self(Arc::new(Semaphore::new(units.clamp(STEP as usize, Semaphore::MAX_PERMITS))))
    }

    pub(super) fn begin(&self) -> Held {
        Held { octets: BytesMut::new(), room: 0, memory: self.clone(), permits: Vec::new() }
    }
}

/// A message that grows. Its memory is free again when it is dropped.
#[derive(Debug)]
pub(super) struct Held {
    octets: BytesMut,
    /// Octets that permits are held for.
    room: usize,
    memory: Memory,
    permits: Vec<OwnedSemaphorePermit>,
}

impl Held {
    /// Adds octets.
    ///
    /// # Errors
    /// The reply, when there is no memory.
    pub(super) async fn push(&mut self, piece: &[u8]) -> Result<(), Reply> {
        while self.octets.len().saturating_add(piece.len()) > self.room {
            let permits = Arc::clone(&self.memory.0).acquire_many_owned(STEP);
            let permit = timeout(PATIENCE, permits).await.ok().and_then(Result::ok);
            let full = || Reply::new(452, (4, 3, 1), "too many messages at once, try again later");
            self.permits.push(permit.ok_or_else(full)?);
            self.room = self.room.saturating_add(STEP as usize * UNIT);
        }
        self.octets.extend_from_slice(piece);
        Ok(())
    }

    /// The message, and what keeps its memory counted.
    pub(super) fn finish(self) -> (Bytes, Vec<OwnedSemaphorePermit>) {
        (self.octets.freeze(), self.permits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_over_all_messages_and_comes_back() {
        let memory = Memory::new(128 * 1024);
        let mut first = memory.begin();
        first.push(&[0; 100 * 1024]).await.unwrap();
        let mut second = memory.begin();
        assert_eq!(second.push(&[0; 1000]).await.unwrap_err().code, 452);
        let (octets, permits) = first.finish();
        assert_eq!(octets.len(), 100 * 1024);
        drop(permits);
        second.push(&[0; 1000]).await.unwrap();
    }
}
