//! Bodies on their way in, within the intake budget.

use crate::space::Space;
use bytes::{Bytes, BytesMut};
use concord_base::StorageError;
use concord_message_log::{LargeBodies, LargeBody, LargeWriter};
use concord_store::{Body, BodyContent, BodyWriter, BudgetGuard, Elsewhere, StoreError};
use std::any::Any;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The budget is counted in units of this, because a semaphore counts to
/// 2^32 only, and small messages should not cost a call per octet.
const UNIT: usize = 1_024;
/// A first guess for bodies whose sender did not tell their size.
const FIRST_CAPACITY: usize = 4 * UNIT;

/// Memory for bodies that are not committed yet.
#[derive(Debug, Clone)]
pub(crate) struct IntakeBudget(Arc<Semaphore>);

impl IntakeBudget {
    pub fn new(octets: u64) -> Self {
        let units = usize::try_from(octets).unwrap_or(usize::MAX) / UNIT;
        Self(Arc::new(Semaphore::new(units.clamp(1, Semaphore::MAX_PERMITS))))
    }

    fn take(&self, octets: usize) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from(octets.div_ceil(UNIT)).ok()?;
        Arc::clone(&self.0).try_acquire_many_owned(units).ok()
    }
}

struct Held(#[allow(dead_code, reason = "given back when dropped")] OwnedSemaphorePermit);
impl BudgetGuard for Held {}

#[derive(Debug)]
pub(crate) struct OnDisk {
    pub body: LargeBody,
    large: LargeBodies,
    committed: bool,
}

impl OnDisk {
    /// The caller has put it into the log: the file stays.
    pub fn commit(mut self) -> LargeBody {
        self.committed = true;
        self.body
    }
}

impl Drop for OnDisk {
    fn drop(&mut self) {
        if !self.committed
            && let Err(error) = self.large.remove(self.body.number)
        {
            tracing::warn!(%error, "an abandoned body stays behind until the next start");
        }
    }
}

impl Elsewhere for OnDisk {
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send + Sync> {
        self
    }
}

enum State {
    Memory { octets: BytesMut, permit: Option<OwnedSemaphorePermit>, reserved: usize },
    Disk(Option<LargeWriter>),
}

pub(crate) struct Writer {
    state: State,
    octets: u64,
    budget: IntakeBudget,
    large: LargeBodies,
    large_threshold: usize,
    space: Arc<Space>,
}

impl Writer {
    pub fn new(
        expected: Option<u64>,
        budget: IntakeBudget,
        large: LargeBodies,
        large_threshold: usize,
        space: Arc<Space>,
    ) -> Self {
        let expected = expected.and_then(|n| usize::try_from(n).ok()).unwrap_or(FIRST_CAPACITY);
        // A client's word is no reason to reserve much; the buffer grows.
        let capacity = expected.min(large_threshold).min(64 * UNIT);
        let state =
            State::Memory { octets: BytesMut::with_capacity(capacity), permit: None, reserved: 0 };
        Self { state, octets: 0, budget, large, large_threshold, space }
    }

    /// Moves what is in memory to disk.
    async fn spill(&mut self) -> Result<(), StoreError> {
        let State::Memory { octets, .. } = &mut self.state else { return Ok(()) };
        let kept = octets.split().freeze();
        let large = self.large.clone();
        let writer = blocking(move || {
            let mut writer = large.create()?;
            writer.write(&kept)?;
            Ok(writer)
        })
        .await?;
        self.state = State::Disk(Some(writer));
        Ok(())
    }
}

/// Runs file work where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|e| StorageError::Bug(format!("file work ended: {e}")))??)
}

#[async_trait::async_trait]
impl BodyWriter for Writer {
    async fn write(&mut self, piece: Bytes) -> Result<(), StoreError> {
        self.octets += piece.len() as u64;
        if let State::Memory { octets, permit, reserved } = &mut self.state {
            let needed = octets.len() + piece.len();
            let mut fits = needed <= self.large_threshold;
            if fits && needed > *reserved {
                match self.budget.take(needed - *reserved) {
                    Some(more) => {
                        *reserved += more.num_permits() * UNIT;
                        match permit {
                            Some(permit) => permit.merge(more),
                            None => *permit = Some(more),
                        }
                    }
                    None => fits = false,
                }
            }
            if fits {
                octets.extend_from_slice(&piece);
                return Ok(());
            }
            self.spill().await?;
        }
        self.space.check()?;
        if let State::Disk(slot) = &mut self.state {
            let Some(mut writer) = slot.take() else {
                return Err(StorageError::Bug("the body failed before".into()).into());
            };
            let writer = blocking(move || {
                writer.write(&piece)?;
                Ok(writer)
            })
            .await?;
            *slot = Some(writer);
        }
        Ok(())
    }

    fn octets(&self) -> u64 {
        self.octets
    }

    async fn finish(self: Box<Self>) -> Result<Body, StoreError> {
        let this = *self;
        match this.state {
            State::Memory { octets, permit, .. } => Ok(Body {
                octets: this.octets,
                content: BodyContent::Memory(octets.freeze()),
                budget: permit.map(|p| Box::new(Held(p)) as Box<dyn BudgetGuard>),
            }),
            State::Disk(None) => Err(StorageError::Bug("the body failed before".into()).into()),
            State::Disk(Some(writer)) => {
                let body = blocking(move || writer.finish()).await?;
                let on_disk = OnDisk { body, large: this.large, committed: false };
                Ok(Body {
                    octets: this.octets,
                    content: BodyContent::Elsewhere(Box::new(on_disk)),
                    budget: None,
                })
            }
        }
    }
}
