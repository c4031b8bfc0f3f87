//! What became of an item.

use super::{Address, Body, ItemKind};
use crate::moment::Moment;

/// What happened to an item at one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// It is in the mailbox.
    Delivered,
    /// It was passed on to where nothing more will be heard from.
    Transferred,
    /// The recipient has opened it.
    Opened,
    /// The recipient has deleted it, opened or not.
    Deleted,
    /// It cannot be delivered.
    Undeliverable,
    /// It waits.
    Delayed,
    /// An appointment, note or task was accepted.
    Accepted,
    /// It was declined.
    Declined,
    /// A task is done.
    Completed,
    /// The recipient has passed it on to somebody else.
    Delegated,
    /// The recipient has forwarded it.
    Forwarded,
    /// The recipient has answered it.
    Replied,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusEvent {
    /// What.
    pub action: Action,
    /// When.
    pub time: Option<Moment>,
    /// The reason in words, if any was given.
    pub detail: String,
}

/// What one recipient's side says of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The kind of the item.
    pub kind: ItemKind,
    /// The id of this message, often empty.
    pub id: String,
    /// The id of the item; never empty.
    pub of: String,
    /// The recipient to whom it happened.
    pub from: Option<Address>,
    /// The recipient's name as text.
    pub from_text: String,
    /// Who is told, the item's sender.
    pub to: Vec<Address>,
    /// The item's subject, or one about the report.
    pub subject: String,
    /// When it was reported.
    pub sent: Option<Moment>,
    /// What happened; at least one.
    pub events: Vec<StatusEvent>,
    /// More words, if any.
    pub body: Option<Body>,
}

impl Action {
    /// Whether the item will not reach the recipient.
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Undeliverable)
    }
}
