//! Turns at changing the directory, so that two changes of one object do not
//! undo each other. Whatever reads an object, changes it and writes it back
//! holds one from the reading to the writing.

use concord_base::ObjectId;
use tokio::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Objects that are changed side by side share a sync of the log; with fewer
/// locks than this, strangers would often wait for one another.
const STRIPES: usize = 256;

/// Hands out turns. One for all ways into one directory.
#[derive(Debug)]
pub struct Writer {
    whole: RwLock<()>,
    stripes: Vec<Mutex<()>>,
}

/// Held while several objects are changed, or what depends on all of them.
#[derive(Debug)]
pub struct WholeTurn<'a>(#[allow(dead_code)] RwLockWriteGuard<'a, ()>);

/// Held while an object is added.
#[derive(Debug)]
pub struct AddTurn<'a>(#[allow(dead_code)] RwLockReadGuard<'a, ()>);

/// Held while one object is changed.
#[derive(Debug)]
pub struct ObjectTurn<'a>(
    #[allow(dead_code)] RwLockReadGuard<'a, ()>,
    #[allow(dead_code)] MutexGuard<'a, ()>,
);

impl Default for Writer {
    fn default() -> Self {
        Self {
            whole: RwLock::new(()),
            stripes: std::iter::repeat_with(Mutex::default).take(STRIPES).collect(),
        }
    }
}

impl Writer {
    /// Waits until nobody else changes anything.
    pub async fn whole(&self) -> WholeTurn<'_> {
        WholeTurn(self.whole.write().await)
    }

    /// Waits until nobody changes the whole. Others add at the same time: what
    /// is unique in the organisation is the engine's to check.
    pub async fn add(&self) -> AddTurn<'_> {
        AddTurn(self.whole.read().await)
    }

    /// Waits until nobody else changes this object.
    pub async fn object(&self, id: ObjectId) -> ObjectTurn<'_> {
        let whole = self.whole.read().await;
        let place = usize::try_from(id.0 % STRIPES as u64).unwrap_or(0);
        match self.stripes.get(place) {
            Some(stripe) => ObjectTurn(whole, stripe.lock().await),
            // never: there are as many as the remainder can be
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    #[tokio::test]
    async fn one_object_waits_for_itself_and_for_the_whole_only() {
        const SOON: Duration = Duration::from_millis(20);
        let writer = Writer::default();
        let one = writer.object(ObjectId(1)).await;
        assert!(timeout(SOON, writer.object(ObjectId(1))).await.is_err());
        assert!(timeout(SOON, writer.object(ObjectId(2))).await.is_ok());
        assert!(timeout(SOON, writer.add()).await.is_ok());
        assert!(timeout(SOON, writer.whole()).await.is_err());
        drop(one);
        let whole = writer.whole().await;
        assert!(timeout(SOON, writer.object(ObjectId(1))).await.is_err());
        drop(whole);
        assert!(timeout(SOON, writer.object(ObjectId(1))).await.is_ok());
    }
}
