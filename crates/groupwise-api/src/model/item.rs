//! Mail and the items that travel like it.

use super::{Address, Stored};
use crate::charset::CodePage;
use crate::moment::Moment;

/// What kind of item it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ItemKind {
    /// A letter. What says no kind is one (Q244253).
    #[default]
    Mail,
    /// A meeting or appointment with a begin and an end.
    Appointment,
    /// A note on a day.
    Note,
    /// A task with a due date.
    Task,
    /// A message about a telephone call.
    Phone,
    /// Passes through the gateway to another GroupWise domain.
    PassThrough,
}

/// How urgent an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Priority {
    /// Before other mail.
    High,
    /// As usual.
    #[default]
    Normal,
    /// After other mail.
    Low,
}

/// How confidential an item is, in the words of the GroupWise client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Security {
    /// No restriction.
    #[default]
    Normal,
    /// Belongs to the organisation.
    Proprietary,
    /// Confidential.
    Confidential,
    /// Secret.
    Secret,
    /// Top secret.
    TopSecret,
    /// For the reader's eyes only.
    ForYourEyesOnly,
}

/// What the sender wants to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct StatusRequest {
    /// When it has been delivered.
    pub delivered: bool,
    /// When it has been opened.
    pub opened: bool,
    /// Whatever else happens to it: deleted, accepted, completed.
    pub everything: bool,
}

/// The text of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Where it lies.
    pub stored: Stored,
    /// What its octets mean.
    pub page: CodePage,
}

/// A file that comes with an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Where its content lies.
    pub stored: Stored,
    /// What the sender calls it; empty if nothing was said.
    pub name: String,
    /// Octets, as announced; the content may differ.
    pub size: Option<u64>,
    /// When it was last changed.
    pub modified: Option<Moment>,
    /// Whether the gateway may convert it.
    pub conversion_allowed: bool,
}

/// The parts of a phone message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PhoneCall {
    /// What the caller wants: please call, will call again, ...
    pub action: String,
    /// The caller's name.
    pub caller: String,
    /// The caller's company.
    pub company: String,
    /// The caller's number.
    pub telephone: String,
}

/// The parts of a task.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Task {
    /// One letter.
    pub category: Option<char>,
    /// A rank within the letter.
    pub priority: Option<u32>,
}

/// An item on its way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// Its id, given by the side that made it.
    pub id: String,
    /// The id of the item that it answers, if it answers one.
    pub answers: String,
    /// Who sent it.
    pub from: Option<Address>,
    /// The sender's name as text.
    pub from_text: String,
    /// Whom the receiving side has to serve, as primary recipients.
    pub to: Vec<Address>,
    /// The same for copies.
    pub copies: Vec<Address>,
    /// The same for blind copies; nobody else may learn of them.
    pub blind_copies: Vec<Address>,
    /// Heading: every primary recipient on either side. Members of
    /// distribution lists stand here one by one (Q256865).
    pub all_to: Vec<Address>,
    /// Heading: every recipient of a copy.
    pub all_copies: Vec<Address>,
    /// The heading as text.
    pub to_text: String,
    /// The heading of copies as text.
    pub copies_text: String,
    /// The subject.
    pub subject: String,
    /// When it was sent.
    pub sent: Option<Moment>,
    /// When it is to be distributed, if later.
    pub distribute: Option<Moment>,
    /// When an appointment, note or task begins.
    pub begin: Option<Moment>,
    /// When it ends or is due.
    pub end: Option<Moment>,
    /// Until when an answer is asked for.
    pub respond_by: Option<Moment>,
    /// Where an appointment is.
    pub location: String,
    /// The text, if there is any.
    pub body: Option<Body>,
    /// The files.
    pub attachments: Vec<Attachment>,
    /// How urgent.
    pub priority: Priority,
    /// How confidential.
    pub security: Security,
    /// What the sender wants to be told.
    pub status_request: StatusRequest,
    /// Of a phone message.
    pub phone: Option<PhoneCall>,
    /// Of a task.
    pub task: Option<Task>,
}

impl StatusRequest {
    /// Whether anything is asked for.
    pub const fn any(self) -> bool {
        self.delivered || self.opened || self.everything
    }
}

impl Item {
    /// Everybody whom the receiving side has to serve, in the order of the
    /// lists.
    pub fn recipients(&self) -> impl Iterator<Item = &Address> {
        self.to.iter().chain(&self.copies).chain(&self.blind_copies)
    }
}
