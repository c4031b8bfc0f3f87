//! Free space on the data disk.

use concord_base::{Clock, StorageError, Timestamp};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// A file system is asked at most so often.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// Refuses intake while free space is below the reserve, so that what makes
/// room (deliveries, deletions) always can be written.
pub(crate) struct Space {
    path: PathBuf,
    reserve: u64,
    clock: Arc<dyn Clock>,
    asked: AtomicI64,
    free: AtomicU64,
    /// Octets that were let in since the file system was asked.
    let_in: AtomicU64,
}

/// What a message costs beside its octets until the index is checkpointed.
const PER_MESSAGE: u64 = 16 << 10;

impl Space {
    pub fn new(path: PathBuf, reserve: u64, clock: Arc<dyn Clock>) -> Self {
        Self {
            path,
            reserve,
            clock,
            asked: AtomicI64::new(0),
            free: AtomicU64::new(u64::MAX),
            let_in: AtomicU64::new(0),
        }
    }

    /// Whether there is room for a message of so many octets.
    pub fn let_in(&self, octets: u64) -> Result<(), StorageError> {
        self.check()?;
        self.let_in.fetch_add(octets.saturating_add(PER_MESSAGE), Ordering::Relaxed);
        Ok(())
    }

    /// Whether the reserve is untouched.
    pub fn check(&self) -> Result<(), StorageError> {
        let now = self.clock.now();
        let asked = self.asked.load(Ordering::Relaxed);
        if now.0 < asked || now.since(Timestamp(asked)) >= ASK_EVERY {
            self.asked.store(now.0, Ordering::Relaxed);
            if let Ok(stat) = rustix::fs::statvfs(&self.path) {
                self.free.store(stat.f_bavail.saturating_mul(stat.f_frsize), Ordering::Relaxed);
                self.let_in.store(0, Ordering::Relaxed);
            }
        }
        let free = self.free.load(Ordering::Relaxed);
        let free = free.saturating_sub(self.let_in.load(Ordering::Relaxed));
        if free < self.reserve {
            return Err(StorageError::DiskFull {
                path: self.path.display().to_string(),
                free,
                reserve: self.reserve,
            });
        }
        Ok(())
    }
}
