//! What conversions may hold at once.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Memory is given out in units of so many octets.
const UNIT: u64 = 1 << 20;
/// Units that the conversions of one connector hold at once.
const UNITS: u32 = 512;
/// A message takes so many times its size, for its parts, its files and what is
/// made of them.
const TIMES: u64 = 4;

/// The memory in which a connector's messages are converted: sixteen of the
/// largest at once would be too much for any machine.
#[derive(Debug, Clone)]
pub struct ConversionMemory(Arc<Semaphore>);

impl Default for ConversionMemory {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(UNITS as usize)))
    }
}

/// A part of it, given back when it is dropped.
#[derive(Debug)]
pub struct Room(OwnedSemaphorePermit);

impl ConversionMemory {
    /// Waits for memory to convert a message of so many octets. One that wants
    /// more than there is gets all of it.
    pub async fn room(&self, octets: u64) -> Option<Room> {
        let units = octets.saturating_mul(TIMES).div_ceil(UNIT);
        let units = u32::try_from(units).unwrap_or(UNITS).clamp(1, UNITS);
        Arc::clone(&self.0).acquire_many_owned(units).await.ok().map(Room)
    }

    /// The first unit for octets that come in, if one is free now.
    pub fn begin(&self) -> Option<Room> {
        Arc::clone(&self.0).try_acquire_owned().ok().map(Room)
    }

    /// Makes room for so many octets, if the units that it lacks are free now.
    pub fn widen(&self, room: &mut Room, octets: u64) -> bool {
        while octets > room.octets() {
            let Ok(more) = Arc::clone(&self.0).try_acquire_owned() else { return false };
            room.0.merge(more);
        }
        true
    }
}

impl Room {
    fn octets(&self) -> u64 {
        u64::try_from(self.0.num_permits()).unwrap_or(u64::MAX).saturating_mul(UNIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_largest_gets_all_and_the_next_waits_for_it() {
        let memory = ConversionMemory::default();
        let largest = memory.room(u64::MAX).await.unwrap();
        assert_eq!(largest.octets(), u64::from(UNITS) * UNIT);
        assert!(memory.begin().is_none());
        let waiting = tokio::spawn({
            let memory = memory.clone();
            async move { memory.room(1).await.unwrap().octets() }
        });
        drop(largest);
        assert_eq!(waiting.await.unwrap(), UNIT);
    }

    #[tokio::test]
    async fn what_comes_in_is_widened_as_long_as_memory_is_free() {
        let memory = ConversionMemory::default();
        let mut coming = memory.begin().unwrap();
        assert!(memory.widen(&mut coming, UNIT));
        assert_eq!(coming.octets(), UNIT);
        assert!(memory.widen(&mut coming, 3 * UNIT - 1));
        assert_eq!(coming.octets(), 3 * UNIT);
        let _rest = memory.room((u64::from(UNITS) - 3) * UNIT / TIMES).await.unwrap();
        assert!(!memory.widen(&mut coming, 3 * UNIT + 1));
    }
}
