//! Notes: mail that people on VM write to each other.
//!
//! A note is text with a heading. CMS ends its heading with a blank line; PROFS
//! and OfficeVision with a row of dashes under the subject (Q200472). The
//! transport tells each recipient apart and nobody of the others: who else got a
//! note is text in it (Q134372, Q182279), and is never taken for an envelope.
//!
//! Sources: a CMS note of 1993; Q107105, Q115457, Q97084 (notes of PROFS as its
//! gateways read and wrote them), Q200472, Q182279, Q176680, Q236335. IBM's own
//! description of PROFS notes is not public. Not verified: names before `at`,
//! `Reply-to:` and `Re:`, and the two lines by which forwarded notes are known.

mod date;
mod heading;
mod person;
mod read;
mod reply;
mod write;

pub use date::{DateOrder, NoteDate};
pub(crate) use date::{read_date, read_time};
pub use person::{AddressStyle, NoteAddress, Person};
pub use read::{NoteForm, NoteRules, Release, read};
pub use reply::Answer;
pub use write::{Layout, Separator};

use crate::Place;
use concord_base::{EnhancedStatus, Fault, Retry};

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Note {
    /// When it was written.
    pub date: Option<NoteDate>,
    /// Who wrote it.
    pub from: Option<Person>,
    /// Where answers are to go, if not there.
    pub reply_to: Option<Person>,
    /// Whom it was written to, as the text says.
    pub to: Vec<Person>,
    /// Who got copies, as the text says.
    pub copies: Vec<Person>,
    /// Where in the text that stood.
    pub copies_from: CopiesFrom,
    /// What it is about; empty if it does not say.
    pub subject: String,
    /// Whether an `OPTIONS:` line asked for an acknowledgement; none if there was
    /// no such line.
    pub acknowledge: Option<bool>,
    /// Fields of the heading that have no meaning here, in their order.
    pub others: Vec<(String, String)>,
    /// The lines of its text.
    pub text: Vec<String>,
}

/// Where a list of copies stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CopiesFrom {
    /// In the heading.
    #[default]
    Heading,
    /// At the foot of the text, where the first release of OfficeVision puts it.
    /// A note that is sent on can end with somebody else's list (Q182279), so
    /// answers to everybody leave these people out unless asked not to.
    Foot,
}

/// Why a text is no note.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// No records, or nothing but blanks.
    #[error("the note is empty")]
    Empty,
    /// The first line is none of a heading.
    #[error("{0} begins no heading of a note")]
    NoHeading(Place),
    /// More lines than [`crate::limits::MAX_HEADING_LINES`].
    #[error("the heading goes on beyond {0}")]
    HeadingTooLong(Place),
}

impl Fault for NoteError {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "cms-note.empty",
            Self::NoHeading(_) => "cms-note.no-heading",
            Self::HeadingTooLong(_) => "cms-note.heading-too-long",
        }
    }

    fn retry(&self) -> Retry {
        Retry::Permanent
    }

    fn enhanced_status(&self) -> EnhancedStatus {
        EnhancedStatus::new(5, 6, 0)
    }
}
