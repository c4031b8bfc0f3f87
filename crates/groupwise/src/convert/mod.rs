//! Messages of the Internet and items of GroupWise, each as the other.

mod bounds;
mod choices;
mod fuzzing;
mod identity;
mod inbound;
mod meeting;
mod outbound;
mod parts;
mod people;
mod report;

pub(crate) use fuzzing::fuzz;
pub use identity::{SentKey, item_id, message_id};
pub use inbound::{Arrived, Gathered, Inbound, inbound};
pub use meeting::{Reply, reply_calendar};
pub use outbound::{Content, Envelope, Outbound, outbound};
pub use people::People;
pub use report::{Told, status_of_report, told};

/// Something that could not be carried over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Loss {
    /// A message within the message became a text file and files of its own.
    Flattened,
    /// Messages were nested too deeply; the inner ones are left out.
    TooDeep,
    /// There were too many files; the rest is left out.
    TooManyFiles,
    /// Characters that the link's code page does not have were replaced.
    Characters,
    /// Content that the header names was not there.
    Missing,
    /// A degree of confidentiality has no counterpart; a similar one stands
    /// for it.
    Security,
    /// Only the first date of a meeting that recurs is carried over.
    Recurrence,
}

impl Loss {
    /// What the reader of the message is told.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Flattened => "An attached message was turned into text and separate files.",
            Self::TooDeep => "Messages attached within attached messages were left out.",
            Self::TooManyFiles => "There were too many files; some were left out.",
            Self::Characters => "Characters that the other system does not have were replaced.",
            Self::Missing => "A file of this message was lost on its way.",
            Self::Security => "The degree of confidentiality has no exact counterpart here.",
            Self::Recurrence => "This meeting recurs; only its first date is given here.",
        }
    }
}
