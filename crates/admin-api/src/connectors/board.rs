//! What connectors are asked to do, until they have done it.

use concord_connector::wire::{Work, WorkDone, WorkItem};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};

/// Pieces of work that wait for one connector; it is not there, or hangs.
const MAX_WAITING: usize = 100;

#[derive(Default)]
struct Place {
    waiting: VecDeque<WorkItem>,
    /// Work that is waited for, taken up or not.
    asked: HashMap<u64, oneshot::Sender<WorkDone>>,
    /// When the connector last asked.
    seen: Option<tokio::time::Instant>,
}

/// Kept in memory: who asked for work that a restart of the core swallowed asks
/// again.
#[derive(Default)]
pub(crate) struct WorkBoard {
    places: Mutex<HashMap<String, Place>>,
    next: std::sync::atomic::AtomicU64,
    news: Notify,
    closed: std::sync::atomic::AtomicBool,
}

impl WorkBoard {
    fn places(&self) -> MutexGuard<'_, HashMap<String, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks a connector to do something; the receiver hears what became of it.
    /// `None` if too much waits for it already.
    pub fn ask(&self, connector: &str, work: Work) -> Option<(u64, oneshot::Receiver<WorkDone>)> {
        let id = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        let (sender, receiver) = oneshot::channel();
        {
            let mut places = self.places();
            let place = places.entry(connector.to_owned()).or_default();
            // Whoever does not wait any more gets no answer.
            place.asked.retain(|_, asked| !asked.is_closed());
            let asked = &place.asked;
            place.waiting.retain(|item| asked.contains_key(&item.id));
            if place.waiting.len() >= MAX_WAITING {
                return None;
            }
            place.asked.insert(id, sender);
            place.waiting.push_back(WorkItem { id, work });
        }
        self.news.notify_waiters();
        Some((id, receiver))
    }

    /// The next piece of work for a connector, once there is one within the time.
    pub async fn take(&self, connector: &str, wait: Duration) -> Option<WorkItem> {
        let until = tokio::time::Instant::now() + wait;
        loop {
            let news = self.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            if self.closed.load(std::sync::atomic::Ordering::Acquire) {
                return None;
            }
            {
                let mut places = self.places();
                let place = places.entry(connector.to_owned()).or_default();
                place.seen = Some(tokio::time::Instant::now());
                if let Some(item) = place.waiting.pop_front() {
                    return Some(item);
                }
            }
            if tokio::time::timeout_at(until, news).await.is_err() {
                return None;
            }
        }
    }

    /// Nobody waits here any more: the core stops.
    pub fn close(&self) {
        self.closed.store(true, std::sync::atomic::Ordering::Release);
        self.news.notify_waiters();
    }

    /// A connector has done a piece of work; false if nobody asked for it.
    pub fn done(&self, connector: &str, id: u64, done: WorkDone) -> bool {
        let asked = self.places().get_mut(connector).and_then(|place| place.asked.remove(&id));
        asked.is_some_and(|asked| asked.send(done).is_ok())
    }

    /// How long ago a connector last asked for work; none if never.
    pub fn last_seen(&self, connector: &str) -> Option<Duration> {
        self.places().get(connector).and_then(|place| place.seen).map(|seen| seen.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_reaches_its_connector_once_and_comes_back() {
        let board = WorkBoard::default();
        assert_eq!(board.take("a", Duration::from_millis(20)).await, None);
        let (id, answer) = board.ask("a", Work::Test).unwrap();
        assert_eq!(board.take("b", Duration::ZERO).await, None);
        assert_eq!(board.take("a", Duration::ZERO).await.map(|item| item.id), Some(id));
        assert_eq!(board.take("a", Duration::ZERO).await, None);
        assert!(!board.done("b", id, WorkDone::default()));
        assert!(board.done("a", id, WorkDone::default()));
        assert!(!board.done("a", id, WorkDone::default()));
        assert_eq!(answer.await, Ok(WorkDone::default()));
        assert!(board.last_seen("a").is_some() && board.last_seen("c").is_none());
    }

    #[tokio::test]
    async fn who_waits_is_woken_and_who_left_leaves_no_work() {
        let board = std::sync::Arc::new(WorkBoard::default());
        let waiting = tokio::spawn({
            let board = std::sync::Arc::clone(&board);
            async move { board.take("a", Duration::from_secs(60)).await }
        });
        tokio::task::yield_now().await;
        let (id, _answer) = board.ask("a", Work::Test).unwrap();
        assert_eq!(waiting.await.unwrap().map(|item| item.id), Some(id));
        for _ in 0..MAX_WAITING * 2 {
            assert!(board.ask("a", Work::Test).is_some(), "nobody waits for the ones before");
        }
    }
}
