//! The transport of the core: what a message's envelope is, where its
//! recipients are routed, the queue in which it waits, and what is remembered
//! of its way.
//!
//! This crate has the nouns, the trait that engines implement ([`Queue`]) and
//! the policy over them: retry schedule ([`RetryPolicy`]), isolation of suspects
//! ([`QUARANTINE_AFTER`]), reports. It does no I/O.
//!
//! Invariants: the envelope is authority, headers are content; a delivery ends
//! in exactly one of delivered, reported, or removed by an administrator; each
//! change of a delivery carries its tracking event in the same commit.
//! Sources: RFC 5321, RFC 3461 to 3464.

mod delivery;
mod envelope;
mod error;
mod retry;
mod tracking;
mod traits;

pub use concord_message::Urgency;
pub use delivery::{
    Ages, Answer, AnswerOutcome, Claim, ClaimLimits, Delivery, DeliveryState, Group, PeerAnswer,
    QUARANTINE_AFTER, QueueFilter, QueueSummary, QueuedMessage, Reachability, SUSPECT_AFTER,
};
pub use envelope::{
    Arrival, Destination, EnvelopeOptions, Filing, KEYS_KEPT, MAX_KEYS, Notify, ReturnContent,
    ReversePath, RoutedRecipient, Submission, TlsWish,
};
pub use error::TransportError;
pub use retry::RetryPolicy;
pub use tracking::{Story, TraceEvent, TraceKind, TraceQuery};
pub use traits::{Administer, Queue, QueueAct};
