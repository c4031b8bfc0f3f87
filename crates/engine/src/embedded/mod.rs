//! The engine towards its callers.

mod administer;
mod backup;
mod directory;
mod queue;
mod store;

use crate::act::{Act, BodyRef, Meta};
use crate::apply::{ActError, Outcome};
use crate::body::{IntakeBudget, OnDisk};
use crate::checkpoint::Checkpoints;
use crate::commit::{CommitFigures, Committer, Health, Request, Shared};
use crate::index::Readers;
use crate::open::{EngineOptions, OpenReport, open};
use crate::schedule::Schedule;
use crate::signals::Signals;
use crate::space::Space;
use bytes::{Bytes, BytesMut};
use concord_base::{StorageError, Timestamp};
use concord_message_log::{LargeBodies, LargeBody, Reader};
use concord_store::{Body, BodyContent, BudgetGuard};
use std::fs::File;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// How long what was in flight at a crash waits, so that a service that dies at
/// once does not take the core into a fast loop.
const RETRY_AFTER_CRASH: Duration = Duration::from_secs(2);

/// The embedded engine. Cheap to share behind an `Arc`; dropping the last one
/// waits until everything sent is durable and applied.
pub struct Embedded {
    // Fields drop in this order: the committer drains before the lock goes.
    committer: Committer,
    _checkpoints: Checkpoints,
    pub(crate) options: EngineOptions,
    pub(crate) readers: Readers,
    pub(crate) bodies: Reader,
    pub(crate) large: LargeBodies,
    shared: Arc<Shared>,
    budget: IntakeBudget,
    space: Arc<Space>,
    /// Held by what removes segments, and by what must find them all.
    pub(crate) moving: tokio::sync::Mutex<()>,
    _lock: File,
}

impl Embedded {
    /// Opens the engine: replays what the index does not have yet, counts what
    /// was in flight when the core ended.
    ///
    /// # Errors
    /// [`StorageError`]; another process that has the directory is
    /// [`StorageError::Io`].
    pub async fn open(options: EngineOptions) -> Result<(Arc<Self>, OpenReport), StorageError> {
        let for_open = options.clone();
        let parts = tokio::task::spawn_blocking(move || open(&for_open))
            .await
            .map_err(|e| StorageError::Bug(format!("opening ended: {e}")))??;
        let mut report = parts.report;
        let shared = Arc::new(Shared {
            signals: Arc::new(Signals::new(parts.large.clone())),
            health: Arc::new(Health::default()),
            figures: Arc::new(CommitFigures::default()),
            schedule: Mutex::new(parts.schedule),
        });
        let clock = Arc::clone(&options.clock);
        let space = Arc::new(Space::new(options.directory.clone(), options.reserve, clock));
        let checkpoints = Checkpoints::start(&options.index_path(), Arc::clone(&space))?;
        let committer = Committer::start(parts.log, parts.applier, &shared)?;
        let engine = Arc::new(Self {
            committer,
            _checkpoints: checkpoints,
            readers: parts.readers,
            bodies: parts.bodies,
            large: parts.large,
            shared,
            budget: IntakeBudget::new(options.intake_budget),
            space,
            moving: tokio::sync::Mutex::default(),
            _lock: parts.lock,
            options,
        });
        let retry_at = engine.now() + RETRY_AFTER_CRASH;
        if engine.in_flight()? > 0
            && let Ok(Outcome::Count(n)) = engine.act_one(Act::CoreStarted { retry_at }).await?
        {
            report.were_in_flight = n;
        }
        Ok((engine, report))
    }

    /// Becomes true when the engine cannot go on and the process must end: the
    /// log could not be synced, or the index cannot be written.
    pub fn failure(&self) -> watch::Receiver<bool> {
        self.shared.signals.watch_failure()
    }

    /// Figures of the committer.
    pub fn figures(&self) -> Arc<CommitFigures> {
        Arc::clone(&self.shared.figures)
    }

    /// Whether the index waits for free space.
    pub fn is_stalled(&self) -> bool {
        self.shared.health.stalled.load(Ordering::Relaxed)
    }

    /// Verifies every octet, beside the running core.
    ///
    /// # Errors
    /// [`StorageError`] if it could not be read; damage is in the report.
    pub async fn verify(&self) -> Result<crate::VerifyReport, StorageError> {
        let options = self.options.clone();
        tokio::task::spawn_blocking(move || crate::verify::verify(&options))
            .await
            .map_err(|e| StorageError::Bug(format!("verifying ended: {e}")))?
    }

    fn now(&self) -> Timestamp {
        self.options.clock.now()
    }

    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.shared.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn in_flight(&self) -> Result<i64, StorageError> {
        self.readers.with(|db| {
            db.query_row("SELECT count(*) FROM delivery WHERE in_flight = 1", [], |r| r.get(0))
        })
    }

    /// Refuses what makes the store grow while there is no room for it.
    fn check_room(&self, octets: u64) -> Result<(), StorageError> {
        if self.is_stalled() {
            return Err(StorageError::DiskFull {
                path: self.options.directory.display().to_string(),
                free: 0,
                reserve: self.options.reserve,
            });
        }
        self.space.let_in(octets)
    }

    /// Sends acts as one record and waits until they are applied.
    pub(crate) async fn act(
        &self,
        acts: Vec<Act>,
        bodies: Bodies,
    ) -> Result<Vec<Result<Outcome, ActError>>, StorageError> {
        let (reply, answer) = oneshot::channel();
        self.send(acts, bodies, Some(reply))?;
        answer.await.map_err(|_| StorageError::Stopping)?
    }

    /// Sends one act without bodies.
    pub(crate) async fn act_one(
        &self,
        act: Act,
    ) -> Result<Result<Outcome, ActError>, StorageError> {
        let mut outcomes = self.act(vec![act], Bodies::default()).await?;
        outcomes.pop().ok_or_else(|| StorageError::Bug("an act without an outcome".into()))
    }

    /// Sends acts that nobody waits for.
    fn send(
        &self,
        acts: Vec<Act>,
        bodies: Bodies,
        reply: Option<oneshot::Sender<crate::commit::Reply>>,
    ) -> Result<(), StorageError> {
        let meta = Meta { at: self.now(), acts };
        let encoded = meta.encode()?;
        let large = bodies.large;
        self.committer.send(Request {
            meta,
            encoded,
            body: bodies.octets.into(),
            budget: bodies.budget,
            reply,
        })?;
        // The record is on its way; should it fail after all, the files are
        // abandoned and the next start removes them.
        for on_disk in large {
            on_disk.commit();
        }
        Ok(())
    }
}

/// An act's outcome is another act's: a defect here.
fn other_outcome() -> StorageError {
    StorageError::Bug("an act had another act's outcome".into())
}

/// The bodies of one record, one behind the other.
#[derive(Default)]
pub(crate) struct Bodies {
    octets: Joined,
    budget: Vec<Box<dyn BudgetGuard>>,
    large: Vec<OnDisk>,
}

/// One body stays as it is; more are joined.
#[derive(Default)]
enum Joined {
    #[default]
    None,
    One(Bytes),
    More(BytesMut),
}

impl From<Joined> for Bytes {
    fn from(joined: Joined) -> Bytes {
        match joined {
            Joined::None => Bytes::new(),
            Joined::One(bytes) => bytes,
            Joined::More(bytes) => bytes.freeze(),
        }
    }
}

impl Bodies {
    pub fn add(&mut self, body: Body) -> Result<BodyRef, StorageError> {
        self.budget.extend(body.budget);
        match body.content {
            BodyContent::Memory(bytes) => {
                let octets = bytes.len() as u64;
                let crc = crc32c::crc32c(&bytes);
                let (joined, offset) = match std::mem::take(&mut self.octets) {
                    Joined::None => (Joined::One(bytes), 0),
                    Joined::One(first) => {
                        let mut both = BytesMut::from(first);
                        let offset = both.len() as u64;
                        both.extend_from_slice(&bytes);
                        (Joined::More(both), offset)
                    }
                    Joined::More(mut all) => {
                        let offset = all.len() as u64;
                        all.extend_from_slice(&bytes);
                        (Joined::More(all), offset)
                    }
                };
                self.octets = joined;
                Ok(BodyRef::Here { offset, octets, crc })
            }
            BodyContent::Elsewhere(other) => {
                let on_disk = other
                    .into_any()
                    .downcast::<OnDisk>()
                    .map_err(|_| StorageError::Bug("a body of another engine".into()))?;
                let LargeBody { number, octets, crc } = on_disk.body;
                self.large.push(*on_disk);
                Ok(BodyRef::Large { number, octets, crc })
            }
        }
    }
}
