//! Message bodies on their way in.

use crate::StoreError;
use bytes::Bytes;
use std::any::Any;
use std::fmt;

/// At most so many bytes are asked for in one read, so that one reader cannot
/// swell memory.
pub const MAX_READ: u64 = 1 << 20;

/// Gives back its share of the intake budget when dropped.
pub trait BudgetGuard: Send + Sync {}

/// A body that the engine has already put on disk; only it can look inside.
pub trait Elsewhere: Any + Send + Sync + fmt::Debug {
    /// For the engine, to find its own type again.
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send + Sync>;
}

/// Where a finished body is until its commit.
pub enum BodyContent {
    /// In memory, within the intake budget.
    Memory(Bytes),
    /// On disk, durable already.
    Elsewhere(Box<dyn Elsewhere>),
}

/// A whole message (RFC 5322 octets) that is ready to be committed.
pub struct Body {
    /// Size in octets.
    pub octets: u64,
    /// Where it is.
    pub content: BodyContent,
    /// Held until the commit.
    pub budget: Option<Box<dyn BudgetGuard>>,
}

impl Body {
    /// A small body made by Concord itself (a report); outside the budget.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let octets = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self { octets, content: BodyContent::Memory(bytes), budget: None }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("octets", &self.octets).finish_non_exhaustive()
    }
}

/// Takes a body in, piece by piece. Small ones stay in memory; large ones, and
/// any when the intake budget is used up, go to disk as they come. Dropping an
/// unfinished writer leaves nothing behind.
#[async_trait::async_trait]
pub trait BodyWriter: Send {
    /// Adds octets. May wait for the disk; so a fast sender is slowed.
    async fn write(&mut self, octets: Bytes) -> Result<(), StoreError>;

    /// Octets written so far.
    fn octets(&self) -> u64;

    /// Ends the body. A body that went to disk is synced when this returns.
    async fn finish(self: Box<Self>) -> Result<Body, StoreError>;
}
