//! Reads a message while it streams by.

use crate::header::Header;
use crate::parts::Parts;
use crate::{Answer, Facts};
use memchr::memchr_iter;

/// Octets of a header that are kept while a message for a mailbox with rules comes
/// in: twice what a thousand named people take. A larger one is not judged.
pub const MAX_HEADER: usize = 128 << 10;

enum State {
    Header(Vec<u8>),
    /// The header was whole, or had an end too far off.
    Body {
        header: Header,
        parts: Option<Parts>,
    },
}

/// Takes a message's octets in pieces of any size and keeps what rules ask for.
pub struct Reader {
    state: State,
    octets: u64,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("octets", &self.octets).finish_non_exhaustive()
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

impl Reader {
    /// Nothing has been read.
    pub const fn new() -> Self {
        Self { state: State::Header(Vec::new()), octets: 0 }
    }

    /// Reads the next piece.
    pub fn feed(&mut self, piece: &[u8]) {
        self.octets = self.octets.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        let header = match &mut self.state {
            State::Header(header) => header,
            State::Body { parts, .. } => {
                if let Some(parts) = parts {
                    parts.feed(piece);
                }
                return;
            }
        };
        let before = header.len();
        let room = MAX_HEADER.saturating_sub(before).min(piece.len());
        header.extend_from_slice(piece.get(..room).unwrap_or(piece));
        // The empty line may have begun in the piece before.
        let Some(end) = end_of(header, before.saturating_sub(2)) else {
            if header.len() >= MAX_HEADER {
                let header = Header::new(std::mem::take(header));
                self.state = State::Body { header, parts: None };
            }
            return;
        };
        header.truncate(end);
        let body = piece.get(end.saturating_sub(before)..).unwrap_or_default();
        let header = Header::new(std::mem::take(header));
        let mut parts = Parts::new(&header);
        parts.feed(body);
        self.state = State::Body { header, parts: Some(parts) };
    }

    /// What rules ask for. A header that ends without an empty line is whole: the
    /// message has no body.
    pub fn finish(self) -> Facts {
        let (header, attachment, whole) = match self.state {
            State::Header(octets) => {
                let header = Header::new(octets);
                let attachment = Parts::new(&header).finish();
                (header, attachment, true)
            }
            State::Body { header, parts: Some(parts) } => (header, parts.finish(), true),
            State::Body { header, parts: None } => (header, Answer::Unknown, false),
        };
        Facts::new(header, whole, attachment, self.octets)
    }
}

/// Where the body begins, behind the first empty line; looks at lines that end
/// behind `from`.
fn end_of(header: &[u8], from: usize) -> Option<usize> {
    let rest = header.get(from..).unwrap_or_default();
    for at in memchr_iter(b'\n', rest) {
        let end = from + at;
        let line = header.get(..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || line.last() == Some(&b'\n') {
            return Some(end + 1);
        }
    }
    None
}
