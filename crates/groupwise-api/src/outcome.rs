//! What can come of reading a file.

use crate::model::Message;
use concord_base::{EnhancedStatus, Fault, Retry};
use std::fmt;

/// What a file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// All of it is there and was understood.
    Complete(Box<Header>),
    /// It is still being written: leave it and look again later. Never a
    /// reason to throw it away (Q253349).
    NotReady(Unfinished),
    /// It is all there and cannot be understood.
    Bad(Defect),
}

/// A file that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// What it says.
    pub message: Message,
    /// What was odd about it, for the log; at most
    /// [`MAX_NOTICES`](crate::limits::MAX_NOTICES).
    pub notices: Vec<Notice>,
    /// What a gateway complained of behind `-END-`, when it refused the file
    /// and moved it to `GWPROB`.
    pub diagnostics: Vec<Diagnostic>,
}

/// Why a file is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unfinished {
    /// It has no octets. If it stays so, the gateway's foreign domain is
    /// defined as External GroupWise, or damaged (Q245431).
    Empty,
    /// `-END-` is missing.
    NoEnd,
    /// Octets inside it are zero, as in a file whose blocks come later.
    Hole,
}

/// Why and where a file is bad.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read the header file: line {line}: {reason}")]
pub struct Defect {
    /// What is wrong.
    pub reason: Reason,
    /// The line, from 1; 0 stands for the file.
    pub line: u32,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reason {
    /// More than [`MAX_FILE`](crate::limits::MAX_FILE).
    FileTooLarge,
    /// More than [`MAX_LINE`](crate::limits::MAX_LINE).
    LineTooLong,
    /// More than [`MAX_VALUE`](crate::limits::MAX_VALUE).
    ValueTooLong,
    /// More than [`MAX_LIST`](crate::limits::MAX_LIST) elements,
    /// [`MAX_OBJECTS`](crate::limits::MAX_OBJECTS) or
    /// [`MAX_BLOCK`](crate::limits::MAX_BLOCK) fields.
    TooMany,
    /// Something stands where a keyword should.
    NoKeyword,
    /// A value has no `;` before the next keyword or the end.
    ValueNotClosed,
    /// A keyword without which the file says nothing.
    Missing(&'static str),
}

/// Something odd that did not keep a file from being understood.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Notice {
    /// A keyword that nobody knows was left out.
    UnknownKeyword {
        /// Where.
        line: u32,
        /// As it was written.
        keyword: String,
    },
    /// A value that nobody knows; the keyword's usual one was taken.
    UnknownValue {
        /// Where.
        line: u32,
        /// Whose.
        keyword: &'static str,
        /// As it was written, shortened.
        value: String,
    },
    /// A keyword that may stand once stands twice; the first one counts.
    Repeated {
        /// Where it stands again.
        line: u32,
        /// Which.
        keyword: &'static str,
    },
    /// Addresses are in GroupWise style. Set the gateway's addressing format
    /// to Component: names with dots cannot be told apart (Q222550).
    DottedAddresses {
        /// Where first.
        line: u32,
    },
    /// There is no message type; it was taken for mail (Q244253).
    NoMessageType,
    /// More keywords were unknown than are told here.
    More {
        /// How many.
        count: usize,
    },
}

/// A complaint of the gateway about one of our files.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// The line that it names.
    pub line: Option<u32>,
    /// The keyword that it does not know.
    pub unknown_keyword: Option<String>,
    /// The whole complaint.
    pub text: String,
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty",
            Self::NoEnd => "it has no -END- yet",
            Self::Hole => "it has a hole",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FileTooLarge => f.write_str("the file is too large"),
            Self::LineTooLong => f.write_str("the line is too long"),
            Self::ValueTooLong => f.write_str("the value is too long"),
            Self::TooMany => f.write_str("the list is too long"),
            Self::NoKeyword => f.write_str("a keyword is expected here"),
            Self::ValueNotClosed => f.write_str("the value is not closed by ';'"),
            Self::Missing(keyword) => write!(f, "{keyword} is missing"),
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKeyword { line, keyword } => {
                write!(f, "line {line}: unknown keyword {keyword:?} left out")
            }
            Self::UnknownValue { line, keyword, value } => {
                write!(f, "line {line}: {keyword} has the unknown value {value:?}")
            }
            Self::Repeated { line, keyword } => {
                write!(f, "line {line}: {keyword} again; the first one counts")
            }
            Self::DottedAddresses { line } => write!(
                f,
                "line {line}: addresses are in GroupWise style; set the gateway's addressing \
                 format to Component"
            ),
            Self::NoMessageType => f.write_str("there is no message type; taken for mail"),
            Self::More { count } => write!(f, "{count} more unknown keywords left out"),
        }
    }
}

impl Fault for Defect {
    fn code(&self) -> &'static str {
        match self.reason {
            Reason::FileTooLarge => "groupwise-api.file-too-large",
            Reason::LineTooLong => "groupwise-api.line-too-long",
            Reason::ValueTooLong => "groupwise-api.value-too-long",
            Reason::TooMany => "groupwise-api.too-many",
            Reason::NoKeyword => "groupwise-api.no-keyword",
            Reason::ValueNotClosed => "groupwise-api.value-not-closed",
            Reason::Missing(_) => "groupwise-api.missing",
        }
    }

    fn retry(&self) -> Retry {
        Retry::Permanent
    }

    fn enhanced_status(&self) -> EnhancedStatus {
        // Conversion required but not supported is the nearest: the message is
        // here and cannot be turned into one of ours.
        EnhancedStatus::new(5, 6, 3)
    }
}
