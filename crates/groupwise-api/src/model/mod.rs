//! What GroupWise and its neighbours tell each other, whatever the interface.
//!
//! The keyword files are one way of saying it; SOAP and REST of later releases
//! say the same with other words. So nothing here knows keywords, code pages
//! or directories. Where content lies is an opaque [`Stored`] name that the
//! interface gives and takes.
//!
//! Text is Unicode without control characters and without blanks at its ends;
//! an empty string is an absent value, since the files do not tell the two
//! apart.

mod address;
mod busy;
mod directory;
mod item;
mod status;

pub use address::Address;
pub use busy::{BusyAnswer, BusySearch, PROBE_USER, Span, busy_id, probe_id};
pub use directory::{Alias, Directory, Entry, EntryKind, Operation, Query, Value};
pub use item::{
    Attachment, Body, Item, ItemKind, PhoneCall, Priority, Security, StatusRequest, Task,
};
pub use status::{Action, Status, StatusEvent};

/// The name under which an interface keeps content: a file in `ATT_IN` or
/// `ATT_OUT` here, the id of an item's part with SOAP.
pub type Stored = String;

/// Anything that one file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Mail, an appointment, a note, a task, a phone message.
    Item(Item),
    /// What became of an item.
    Status(Status),
    /// Somebody asks when somebody is busy. Also the probe.
    Search(BusySearch),
    /// The answer.
    BusyAnswer(BusyAnswer),
    /// Requests to the directory, answers, and updates nobody asked for.
    Directory(Directory),
}
