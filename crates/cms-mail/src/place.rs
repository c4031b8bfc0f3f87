//! Where in a spool file something stands.

use std::fmt;

/// A place in a file's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Place {
    /// The record's number, from 0.
    pub record: usize,
    /// Octets before it in the record.
    pub offset: usize,
}

impl Place {
    /// The beginning of a record.
    pub const fn start(record: usize) -> Self {
        Self { record, offset: 0 }
    }
}

impl fmt::Display for Place {
    /// Counted from 1, as people count records and columns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "record {}, column {}",
            self.record.saturating_add(1),
            self.offset.saturating_add(1)
        )
    }
}
