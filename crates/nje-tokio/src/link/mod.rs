//! A link's task, and the handle to it.

mod drive;
mod jobs;
mod status;
mod task;
mod watch;

pub use status::{LinkPhase, LinkStatus, Trouble};
pub(crate) use task::{Inbound, LinkTask};
pub use watch::{Seen, Watcher};

use crate::application::OutgoingJob;
use concord_base::{Fault, Retry};
use concord_nje::{CloseReason, Message, UseError};
use status::Board;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Orders that wait for a link's task; with more, callers wait.
const MAX_ORDERS: usize = 64;

/// What a caller wants of a link.
pub(crate) enum Order {
    Job(OutgoingJob, Manner, Answer),
    Message(Message, Answer),
    Hold(bool, Answer),
    /// To be up, or to be down.
    Run(bool, Answer),
    Watch(Arc<dyn Watcher>, Answer),
}

/// What becomes of a job when the link is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It waits, and is sent again.
    Persistent,
    /// It fails: its caller has a queue of its own.
    Once,
}

pub(crate) type Answer = oneshot::Sender<Result<(), SendError>>;

/// Why something was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The partner refused the job.
    #[error("the partner refuses the job")]
    Refused,
    /// The partner had enough of the job before it took it over.
    #[error("the partner cancelled the job")]
    Cancelled,
    /// The link is not active. Jobs of [`LinkHandle::send`] wait for it; what
    /// [`LinkHandle::send_once`] and [`LinkHandle::send_message`] send does not.
    #[error("cannot send now: the link is not active")]
    NotActive,
    /// The job or message cannot be sent as it is.
    #[error(transparent)]
    Unsendable(UseError),
    /// The link closed because of the job each time that it was sent.
    #[error("gave the job up after {tries} tries; the last time {reason}")]
    GivenUp {
        /// How often it was begun.
        tries: u32,
        /// Why the link closed the last time.
        reason: CloseReason,
    },
    /// The link was lost, and the job is not sent again by itself.
    #[error("the link was lost before the partner acknowledged the job: {reason}")]
    Lost {
        /// Whether all of it had been sent: then the partner may have it.
        whole: bool,
        /// Why the link closed.
        reason: CloseReason,
    },
    /// The node stops. The job was not confirmed.
    #[error("the node stops; the job was not confirmed")]
    Stopped,
}

impl Fault for SendError {
    fn code(&self) -> &'static str {
        match self {
            Self::Refused => "nje.job-refused",
            Self::Cancelled => "nje.job-cancelled",
            Self::NotActive => "nje.not-active",
            Self::Unsendable(error) => error.code(),
            Self::GivenUp { .. } => "nje.given-up",
            Self::Lost { .. } => "nje.job-lost",
            Self::Stopped => "nje.stopped",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Refused | Self::Cancelled | Self::GivenUp { .. } => Retry::Operator,
            Self::NotActive | Self::Lost { .. } | Self::Stopped => Retry::Temporary,
            Self::Unsendable(error) => error.retry(),
        }
    }
}

/// Sends over a link.
#[derive(Debug, Clone)]
pub struct LinkHandle {
    orders: mpsc::Sender<Order>,
    board: Board,
}

impl LinkHandle {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Order>, Board) {
        let (orders, taken) = mpsc::channel(MAX_ORDERS);
        let board = Board::default();
        (Self { orders, board: board.clone() }, taken, board)
    }

    /// Sends a job; returns when the partner has acknowledged it, which may take
    /// days: it waits for the link, and is sent again when that breaks. A caller
    /// that stops waiting does not stop the job.
    pub async fn send(&self, job: OutgoingJob) -> Result<(), SendError> {
        self.order(|answer| Order::Job(job, Manner::Persistent, answer)).await
    }

    /// Sends a job if the link is active; returns when the partner has
    /// acknowledged it. For callers that have a queue of their own: a job under
    /// way when the link is lost fails with [`SendError::Lost`]; who sends it
    /// again sends the same header, by which the partner can know it.
    pub async fn send_once(&self, job: OutgoingJob) -> Result<(), SendError> {
        self.order(|answer| Order::Job(job, Manner::Once, answer)).await
    }

    /// Sends a message or command if the link is active. Nobody acknowledges it.
    pub async fn send_message(&self, message: Message) -> Result<(), SendError> {
        self.order(|answer| Order::Message(message, answer)).await
    }

    /// Tells the partner to wait, with everything, or to go on: for an
    /// application that has no room. Holds until the link closes.
    pub async fn hold(&self, hold: bool) -> Result<(), SendError> {
        self.order(|answer| Order::Hold(hold, answer)).await
    }

    /// Signs off and stays down until [`LinkHandle::start`]: nothing is dialled, and
    /// a partner that opens the link is told to come later. Jobs wait.
    pub async fn stop(&self) -> Result<(), SendError> {
        self.order(|answer| Order::Run(false, answer)).await
    }

    /// Lets a link that was stopped open again. One that is down is dialled at
    /// once, without the rest of its wait.
    pub async fn start(&self) -> Result<(), SendError> {
        self.order(|answer| Order::Run(true, answer)).await
    }

    /// Shows everything that goes over the link from now on, until the watcher ends
    /// it. The passwords of the sign-on are in it.
    pub async fn watch(&self, watcher: Arc<dyn Watcher>) -> Result<(), SendError> {
        self.order(|answer| Order::Watch(watcher, answer)).await
    }

    /// What the link is doing.
    pub fn status(&self) -> LinkStatus {
        self.board.read()
    }

    async fn order(&self, order: impl FnOnce(Answer) -> Order) -> Result<(), SendError> {
        let (answer, answered) = oneshot::channel();
        self.orders.send(order(answer)).await.map_err(|_| SendError::Stopped)?;
        answered.await.unwrap_or(Err(SendError::Stopped))
    }
}
