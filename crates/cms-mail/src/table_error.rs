//! Mistakes in tables that administrators write.

use concord_base::{Fault, Retry};

/// What is wrong in a table, with its line from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// A line with another number of words.
    #[error("line {line} has {words} words; it takes {expected}")]
    Words {
        /// The line.
        line: usize,
        /// Its words.
        words: usize,
        /// What a line consists of.
        expected: &'static str,
    },
    /// A word that the table does not know.
    #[error("line {line}: {word:?} is neither {expected}")]
    Word {
        /// The line.
        line: usize,
        /// The word.
        word: String,
        /// What it can be.
        expected: &'static str,
    },
    /// A name that is longer than hosts allow.
    #[error("line {line}: {word:?} is no name of a host, of 1 to 8 characters")]
    Name {
        /// The line.
        line: usize,
        /// The word.
        word: String,
    },
    /// A value before the first tag, or outside an entry.
    #[error("line {line} belongs to no entry; the first tag is :nick. or :node.")]
    NoEntry {
        /// The line.
        line: usize,
    },
    /// A bound of [`crate::limits`].
    #[error("line {line}: the table has more {what} than are allowed ({most})")]
    TooMany {
        /// The line.
        line: usize,
        /// What there are too many of.
        what: &'static str,
        /// The bound.
        most: usize,
    },
}

impl Fault for TableError {
    fn code(&self) -> &'static str {
        match self {
            Self::Words { .. } => "cms-table.words",
            Self::Word { .. } => "cms-table.word",
            Self::Name { .. } => "cms-table.name",
            Self::NoEntry { .. } => "cms-table.no-entry",
            Self::TooMany { .. } => "cms-table.too-many",
        }
    }

    fn retry(&self) -> Retry {
        Retry::Operator
    }
}
