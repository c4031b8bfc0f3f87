//! Answers that are waited for.

use concord_groupwise_api::Moment;
use concord_groupwise_api::model::Directory;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Files of the directory that nobody has fetched yet; the oldest go. A
/// synchronisation that missed one asks for everything again.
const MAX_KEPT: usize = 64;

/// A file about the directory.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    /// The file's name; an answer has its request's (Q253349).
    pub name: String,
    /// What it says.
    pub directory: Directory,
    /// The gateway's complaint, if it refused a request of ours.
    pub refusal: Option<String>,
}

#[derive(Debug, Default)]
struct Kept {
    directory: VecDeque<Came>,
    probes: VecDeque<Moment>,
}

/// Where the reader of `API_OUT` leaves answers for those who asked.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    kept: Mutex<Kept>,
    news: Notify,
    numbers: AtomicU64,
}

impl Answers {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A probe has come back; `begin` is the time that it was sent with.
    pub(crate) fn probe_came_back(&self, begin: Moment) {
        let mut kept = self.kept();
        kept.probes.push_back(begin);
        if kept.probes.len() > MAX_KEPT {
            kept.probes.pop_front();
        }
        drop(kept);
        self.news.notify_waiters();
    }

    /// A file about the directory has come.
    pub(crate) fn directory_came(&self, name: &str, directory: Directory) {
        self.keep(Came { name: name.to_owned(), directory, refusal: None });
    }

    /// The gateway refused a file about the directory.
    pub(crate) fn directory_refused(&self, name: &str, directory: Directory, complaint: &str) {
        let refusal = Some(complaint.to_owned());
        self.keep(Came { name: name.to_owned(), directory, refusal });
    }

    fn keep(&self, came: Came) {
        let mut kept = self.kept();
        kept.directory.push_back(came);
        if kept.directory.len() > MAX_KEPT {
            kept.directory.pop_front();
        }
        drop(kept);
        self.news.notify_waiters();
    }

    /// Takes the first probe that fits, once there is one.
    pub(crate) async fn probe(&self, fits: impl Fn(&Moment) -> bool) -> Moment {
        self.wait(|kept| {
            let at = kept.probes.iter().position(&fits)?;
            kept.probes.remove(at)
        })
        .await
    }

    /// Takes the first file that fits, once there is one.
    pub(crate) async fn directory(&self, fits: impl Fn(&Came) -> bool) -> Came {
        self.wait(|kept| {
            let at = kept.directory.iter().position(&fits)?;
            kept.directory.remove(at)
        })
        .await
    }

    /// Takes everything that fits.
    pub(crate) fn take_all(&self, fits: impl Fn(&Came) -> bool) -> Vec<Came> {
        let mut kept = self.kept();
        let (taken, left): (Vec<Came>, Vec<Came>) =
            kept.directory.drain(..).partition(|came| fits(came));
        kept.directory = left.into();
        taken
    }

    /// Forgets answers that nobody has taken.
    pub(crate) fn forget_directory(&self) {
        drop(self.take_all(|came| came.refusal.is_none()));
    }

    /// A number that this process has not given before.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    async fn wait<T>(&self, take: impl Fn(&mut Kept) -> Option<T>) -> T {
        loop {
            let news = self.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            if let Some(found) = take(&mut self.kept()) {
                return found;
            }
            news.await;
        }
    }
}
