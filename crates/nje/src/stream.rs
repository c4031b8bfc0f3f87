//! Streams: which job a record belongs to.

use crate::limits::MAX_STREAMS;

/// What a stream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamKind {
    /// Jobs to run.
    Sysin,
    /// Print and punch files; mail travels so.
    Sysout,
}

/// One of the seven streams of a kind. Each direction of a link has its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    kind: StreamKind,
    number: u8,
}

impl StreamId {
    /// A stream by its number, from 1.
    pub const fn new(kind: StreamKind, number: u8) -> Option<Self> {
        if number >= 1 && number <= MAX_STREAMS { Some(Self { kind, number }) } else { None }
    }

    /// What it carries.
    pub const fn kind(self) -> StreamKind {
        self.kind
    }

    /// Its number, from 1.
    pub const fn number(self) -> u8 {
        self.number
    }

    /// The stream of a record control octet.
    pub const fn from_rcb(rcb: u8) -> Option<Self> {
        let kind = match rcb & 0x0f {
            0x08 => StreamKind::Sysin,
            0x09 => StreamKind::Sysout,
            _ => return None,
        };
        match (rcb >> 4).checked_sub(8) {
            Some(number) => Self::new(kind, number),
            None => None,
        }
    }

    /// Its record control octet: X'98' to X'F8' for SYSIN, X'99' to X'F9' for
    /// SYSOUT.
    pub const fn rcb(self) -> u8 {
        let kind = match self.kind {
            StreamKind::Sysin => 0x08,
            StreamKind::Sysout => 0x09,
        };
        ((self.number + 8) << 4) | kind
    }

    /// All streams of a kind up to a number.
    pub fn all(kind: StreamKind, most: u8) -> impl Iterator<Item = Self> {
        (1..=most.min(MAX_STREAMS)).filter_map(move |number| Self::new(kind, number))
    }
}

impl std::fmt::Display for StreamId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.kind {
            StreamKind::Sysin => "SYSIN",
            StreamKind::Sysout => "SYSOUT",
        };
        write!(f, "{kind} stream {}", self.number)
    }
}

impl std::fmt::Debug for StreamId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}
