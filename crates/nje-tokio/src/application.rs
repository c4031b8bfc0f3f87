//! What an application gives and takes.

use async_trait::async_trait;
use concord_nje::{CloseReason, JobItem, Message, Name, StreamId, StreamKind};
use std::sync::Arc;

/// The application under a node. Its functions are called on the links' tasks:
/// all but [`IncomingJob::finish`] must be quick and not block.
pub trait Application: Send + Sync + 'static {
    /// A link became active, or closed, or could not be opened.
    fn link(&self, partner: Name, news: &LinkNews);

    /// A partner asks to send a job. `None` lets it wait: it is asked again each
    /// second. Nothing is refused, since some partners then hold the job until an
    /// operator frees it.
    fn job(&self, partner: Name, stream: StreamId) -> Option<Box<dyn IncomingJob>>;

    /// A message came. Nothing answers it.
    fn message(&self, partner: Name, message: Message);

    /// A command came, other than the question for the time, which is answered
    /// already. What is given goes back to who gave it; `None` says that it is not
    /// supported.
    fn command(&self, partner: Name, command: &Message) -> Option<String> {
        let _ = (partner, command);
        None
    }
}

/// What happened to a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkNews {
    /// It is active.
    Active,
    /// It closed. It is opened again.
    Closed(CloseReason),
    /// The partner could not be reached; the operating system's words.
    Unreachable(String),
    /// Its capture cannot be written, and stops; the operating system's words.
    CaptureStopped(String),
}

/// An application that can take no more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot take the job: {0}")]
pub struct Stopped(pub String);

/// A job that comes. Dropped before [`IncomingJob::finish`], it is void: the
/// partner keeps it. If the link breaks before the partner heard of the end of
/// `finish`, the job comes again, perhaps while `finish` is still at work.
#[async_trait]
pub trait IncomingJob: Send {
    /// Takes the next part. An error closes the link, since a job cannot be
    /// refused in its middle without harm to some partners; it comes again.
    fn take(&mut self, item: JobItem) -> Result<(), Stopped>;

    /// The job is whole. Returns when it is durable; then, and only then, the
    /// partner is told and deletes it. May block on a disk: other streams of the
    /// link go on. An error closes the link; the job comes again.
    async fn finish(self: Box<Self>) -> Result<(), Stopped>;
}

/// Makes the parts of a job, from the start each time.
pub type JobParts = dyn Fn() -> Box<dyn Iterator<Item = JobItem> + Send> + Send + Sync;

/// A job that goes. Its parts are made anew when a link broke while it was under
/// way.
#[derive(Clone)]
pub struct OutgoingJob {
    /// SYSOUT (files) or SYSIN (jobs to run).
    pub kind: StreamKind,
    /// Makes its parts: header, data sets with their records, trailer. They must
    /// be the same each time.
    pub parts: Arc<JobParts>,
}

impl OutgoingJob {
    /// A job that is held in memory.
    pub fn in_memory(kind: StreamKind, items: Vec<JobItem>) -> Self {
        let items: Arc<[JobItem]> = items.into();
        let parts = move || {
            let items = Arc::clone(&items);
            let count = items.len();
            let items = (0..count).filter_map(move |index| items.get(index).cloned());
            Box::new(items) as Box<dyn Iterator<Item = JobItem> + Send>
        };
        Self { kind, parts: Arc::new(parts) }
    }
}

impl std::fmt::Debug for OutgoingJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutgoingJob").field("kind", &self.kind).finish_non_exhaustive()
    }
}
