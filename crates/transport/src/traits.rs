//! What an engine gives the transport.

use crate::{
    Ages, Answer, Claim, ClaimLimits, Delivery, Group, PeerAnswer, QueueFilter, QueueSummary,
    QueuedMessage, Story, Submission, TraceQuery, TransportError,
};
use concord_base::{DeliveryId, MessageId, Timestamp};
use concord_message::Urgency;
use serde::{Deserialize, Serialize};
use tokio::sync::watch::Receiver;

/// What an administrator does with a queued message (all its deliveries).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueAct {
    /// Due now; the schedule starts anew.
    Retry,
    /// Waits until released.
    Hold,
    /// Waits no more; also lets a quarantined one go, its crashes forgotten.
    Release,
    /// Gone, nobody is told.
    Delete,
}

/// The queue of an engine. What a finished call changed is durable.
#[async_trait::async_trait]
pub trait Queue: Send + Sync + 'static {
    /// Takes messages in, each whole or not at all: body, items in mailboxes,
    /// deliveries and tracking in one commit shared with everything that is
    /// ready at that moment. When this returns, `250` may be said, and each
    /// item is visible to its readers.
    ///
    /// A recipient whose mailbox vanished meanwhile becomes a queued delivery
    /// of connector `core`, group `unroutable`, so that it is reported.
    ///
    /// A message whose [`crate::Arrival::key`] its connector used before is not
    /// taken again; what is given back is the message of then. The key is
    /// remembered in the same commit.
    async fn take_in(&self, submission: Submission) -> Result<MessageId, TransportError>;

    /// The message that a connector brought under a key, if that is remembered.
    async fn taken(&self, connector: &str, key: &str) -> Result<Option<MessageId>, TransportError>;

    /// Claims due deliveries for a connector, each message's of one group
    /// together: urgent ones first, then the oldest; at most one claim per
    /// group and call. A suspect is a claim of its own.
    async fn claim(
        &self,
        connector: &str,
        now: Timestamp,
        limits: &ClaimLimits<'_>,
    ) -> Result<Vec<Claim>, TransportError>;

    /// Claims deliveries of groups that rest or are parked, if they have grown
    /// old by what `ages` says, at most `limit` claims.
    async fn claim_aged(
        &self,
        ages: &(dyn for<'a> Fn(&'a Group, Urgency) -> Ages + Sync),
        limit: usize,
    ) -> Result<Vec<Claim>, TransportError>;

    /// A destination could not be reached: nothing of its group is due before
    /// `until`, whoever asks. Not durable; a restart finds it out anew.
    fn unreached(&self, group: &Group, now: Timestamp, until: Timestamp, why: PeerAnswer);

    /// A destination was reached.
    fn reached(&self, group: &Group);

    /// Groups of a connector that `which` names rest no more and are not
    /// parked. Gives back how many deliveries wait in them.
    fn wake(&self, connector: &str, which: &dyn Fn(&str) -> bool) -> u64;

    /// How many deliveries of a group are queued.
    fn waiting(&self, group: &Group) -> u64;

    /// Answers claimed deliveries and takes in the reports that follow from
    /// the answers, in one commit. Answers for deliveries that are gone are
    /// ignored. A delivery that crashed [`crate::QUARANTINE_AFTER`] times is quarantined.
    async fn answer(
        &self,
        answers: Vec<Answer>,
        reports: Vec<Submission>,
    ) -> Result<(), TransportError>;

    /// When the next delivery of a connector is due that the limits allow.
    fn next_due(&self, connector: &str, limits: &ClaimLimits<'_>) -> Option<Timestamp>;

    /// Tells that deliveries may have become due (the value counts).
    fn queue_changed(&self) -> Receiver<u64>;

    /// Connectors that deliveries wait for.
    async fn waiting_connectors(&self) -> Result<Vec<String>, TransportError>;

    /// Deliveries of a connector that are queued (not held, not quarantined)
    /// and that nobody has claimed, with ids above `after`, at most `limit`.
    async fn unclaimed(
        &self,
        connector: &str,
        after: DeliveryId,
        limit: usize,
    ) -> Result<Vec<Delivery>, TransportError>;

    /// Gives queued deliveries to other connectors, due now; their crashes are
    /// forgotten, for they were the other connector's. Those that are claimed,
    /// not queued or gone meanwhile are passed over. Gives back how many moved.
    async fn reroute(&self, routes: Vec<(DeliveryId, Group)>) -> Result<u64, TransportError>;
}

/// What administrators see and do.
#[async_trait::async_trait]
pub trait Administer: Send + Sync + 'static {
    /// Queued messages, oldest first.
    async fn list_queue(&self, filter: &QueueFilter) -> Result<Vec<QueuedMessage>, TransportError>;

    /// One queued message.
    ///
    /// # Errors
    /// [`TransportError::NotQueued`]
    async fn show_queued(&self, message: MessageId) -> Result<QueuedMessage, TransportError>;

    /// Does something with a queued message. Deliveries that are being tried
    /// at this moment are finished first by their attempt; a deleted one's
    /// answer is ignored.
    async fn act_on_queued(&self, message: MessageId, act: QueueAct) -> Result<(), TransportError>;

    /// The queue in numbers.
    async fn summary(&self) -> Result<QueueSummary, TransportError>;

    /// Stories of messages, newest first, at most `limit`.
    async fn trace(&self, query: &TraceQuery, limit: usize) -> Result<Vec<Story>, TransportError>;

    /// Forgets stories of messages that came before, unless still queued;
    /// gives back how many.
    async fn forget_stories(&self, before: Timestamp) -> Result<u64, TransportError>;
}
