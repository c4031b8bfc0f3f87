//! The two threads between a caller and its durable, visible act.
//!
//! The *log thread* takes whatever is ready, appends it with one sync, and hands
//! it on; the *index thread* applies it in one transaction and answers the
//! callers. They overlap: while one batch is applied the next one is synced.
//! When nobody else waits, the log thread applies by itself, which saves the
//! lone caller a change of threads.

use crate::act::Meta;
use crate::apply::{Applier, Applying, Effects, ToApply};
use crate::index::Applied;
use crate::schedule::Schedule;
use crate::signals::Signals;
use bytes::Bytes;
use concord_base::Fault as _;
use concord_base::{Retry, StorageError};
use concord_message_log::{Entry, Location, Log, Placed};
use concord_store::BudgetGuard;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc as blocking;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Records in one batch: enough for every session that can be ready at once
/// on a machine where batches matter; more only delays the first.
const MAX_BATCH: usize = 512;
/// Octets in one batch, so that its write stays below the p99 that we promise.
const MAX_BATCH_OCTETS: usize = 8 << 20;
/// Synced batches that wait to be applied; more would only hide a slow index.
const BATCHES_AHEAD: usize = 2;
/// Between tries to apply when the index's disk is full.
const APPLY_AGAIN: Duration = Duration::from_millis(250);

pub(crate) type Reply = Result<Vec<Applying>, StorageError>;

/// An act on its way to the log.
pub(crate) struct Request {
    pub meta: Meta,
    pub encoded: Vec<u8>,
    pub body: Bytes,
    /// Kept until the commit, then given back.
    pub budget: Vec<Box<dyn BudgetGuard>>,
    pub reply: Option<oneshot::Sender<Reply>>,
}

struct Synced {
    meta: Meta,
    body: Location,
    applied: Applied,
    reply: Option<oneshot::Sender<Reply>>,
}

/// Figures of the committer, for metrics.
#[derive(Debug, Default)]
pub struct CommitFigures {
    /// Records appended.
    pub records: AtomicU64,
    /// Syncs of the log; the ratio to records is what group commit saves.
    pub syncs: AtomicU64,
    /// Octets appended.
    pub octets: AtomicU64,
}

/// What became of the threads.
#[derive(Debug, Default)]
pub(crate) struct Health {
    /// The index cannot take more (its disk is full); intake waits.
    pub stalled: AtomicBool,
}

pub(crate) struct Committer {
    queue: Option<mpsc::UnboundedSender<Request>>,
    threads: Vec<JoinHandle<()>>,
    index: Arc<Index>,
}

/// The index's writer, and what waits for it.
struct Index {
    applier: Mutex<Applier>,
    /// Batches handed to the index thread and not applied yet.
    waiting: AtomicUsize,
    stopping: AtomicBool,
}

pub(crate) struct Shared {
    pub signals: Arc<Signals>,
    pub health: Arc<Health>,
    pub figures: Arc<CommitFigures>,
    /// What waits; behind the index never, in front of it never.
    pub schedule: Mutex<Schedule>,
}

impl Committer {
    pub fn start(log: Log, applier: Applier, shared: &Arc<Shared>) -> Result<Self, StorageError> {
        let (queue, requests) = mpsc::unbounded_channel();
        let (ahead, synced) = blocking::sync_channel(BATCHES_AHEAD);
        let index = Arc::new(Index {
            applier: Mutex::new(applier),
            waiting: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
        });
        let spawn = |name: &str, body: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new().name(name.into()).spawn(body).map_err(|e| {
                StorageError::Io { act: "start", path: name.into(), cause: e.to_string() }
            })
        };
        let for_log = Arc::clone(shared);
        let for_index = Arc::clone(shared);
        let (of_log, of_index) = (Arc::clone(&index), Arc::clone(&index));
        let threads = vec![
            spawn("log", Box::new(move || log_thread(log, requests, &ahead, &of_log, &for_log)))?,
            spawn("index", Box::new(move || index_thread(&synced, &of_index, &for_index)))?,
        ];
        Ok(Self { queue: Some(queue), threads, index })
    }

    pub fn send(&self, request: Request) -> Result<(), StorageError> {
        let queue = self.queue.as_ref().ok_or(StorageError::Stopping)?;
        queue.send(request).map_err(|_| StorageError::Stopping)
    }
}

impl Drop for Committer {
    /// Waits until everything that was sent is durable and applied.
    fn drop(&mut self) {
        self.index.stopping.store(true, Ordering::SeqCst);
        self.queue = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn log_thread(
    mut log: Log,
    mut requests: mpsc::UnboundedReceiver<Request>,
    ahead: &blocking::SyncSender<Vec<Synced>>,
    index: &Index,
    shared: &Shared,
) {
    let mut batch = Vec::with_capacity(MAX_BATCH);
    while let Some(first) = requests.blocking_recv() {
        let mut octets = first.body.len();
        batch.push(first);
        while batch.len() < MAX_BATCH && octets < MAX_BATCH_OCTETS {
            let Ok(next) = requests.try_recv() else { break };
            octets += next.body.len();
            batch.push(next);
        }
        let entries: Vec<Entry> = batch
            .iter_mut()
            .map(|r| Entry { meta: std::mem::take(&mut r.encoded), body: r.body.clone() })
            .collect();
        match log.append(&entries) {
            Ok(placed) => {
                count(&shared.figures, &entries);
                let synced = batch.drain(..).zip(placed).map(|(r, p)| to_synced(r, p)).collect();
                // Log order is kept: nothing is with the index thread.
                let alone = requests.is_empty() && index.waiting.load(Ordering::Acquire) == 0;
                let goes_on = if alone {
                    apply_until_done(synced, index, shared)
                } else {
                    index.waiting.fetch_add(1, Ordering::AcqRel);
                    ahead.send(synced).is_ok()
                };
                if !goes_on {
                    return;
                }
            }
            Err(error) => {
                if log.is_poisoned() {
                    shared.signals.failed();
                }
                for request in batch.drain(..) {
                    if let Some(reply) = request.reply {
                        let _ = reply.send(Err(error.clone()));
                    }
                }
            }
        }
    }
}

fn count(figures: &CommitFigures, entries: &[Entry]) {
    let octets: usize = entries.iter().map(|e| e.meta.len() + e.body.len()).sum();
    figures.records.fetch_add(entries.len() as u64, Ordering::Relaxed);
    figures.syncs.fetch_add(1, Ordering::Relaxed);
    figures.octets.fetch_add(octets as u64, Ordering::Relaxed);
}

fn to_synced(request: Request, placed: Placed) -> Synced {
    // The body is on disk now; its share of the intake budget goes back here.
    drop(request.budget);
    Synced {
        meta: request.meta,
        body: placed.body,
        applied: Applied { sequence: placed.sequence, position: placed.next },
        reply: request.reply,
    }
}

fn index_thread(synced: &blocking::Receiver<Vec<Synced>>, index: &Index, shared: &Shared) {
    while let Ok(batch) = synced.recv() {
        if !apply_until_done(batch, index, shared) {
            // It is in the log; the next start applies it.
            return;
        }
        index.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Applies a batch that is durable already. A full disk is waited for: nobody
/// is told that it failed, because after the next start it would have happened.
fn apply_until_done(batch: Vec<Synced>, index: &Index, shared: &Shared) -> bool {
    let mut applier = index.applier.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        match apply_batch(&mut applier, &batch) {
            Ok((outcomes, mut effects)) => {
                let changes = std::mem::take(&mut effects.deliveries);
                if !changes.is_empty() {
                    let schedule = shared.schedule.lock();
                    schedule.unwrap_or_else(PoisonError::into_inner).apply(changes);
                }
                shared.health.stalled.store(false, Ordering::SeqCst);
                shared.signals.publish(effects);
                for (synced, outcome) in batch.into_iter().zip(outcomes) {
                    if let Some(reply) = synced.reply {
                        let _ = reply.send(outcome);
                    }
                }
                applier.bound_wal();
                return true;
            }
            Err(error) if matches!(error.retry(), Retry::Temporary | Retry::Operator) => {
                tracing::error!(code = error.code(), %error, "the index waits");
                shared.health.stalled.store(true, Ordering::SeqCst);
                if index.stopping.load(Ordering::SeqCst) {
                    return false;
                }
                std::thread::sleep(APPLY_AGAIN);
            }
            Err(error) => {
                tracing::error!(code = error.code(), %error, "the index cannot go on");
                shared.signals.failed();
                return false;
            }
        }
    }
}

fn apply_batch(
    applier: &mut Applier,
    batch: &[Synced],
) -> Result<(Vec<Reply>, Effects), StorageError> {
    let (outcomes, effects) = applier.apply(batch.iter().map(|s| ToApply {
        meta: &s.meta,
        body: s.body,
        applied: s.applied,
    }))?;
    Ok((outcomes.into_iter().map(Ok).collect(), effects))
}
