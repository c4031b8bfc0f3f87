//! Pieces of headers: a prefix each, of length, flags and number.

use crate::error::{WireCause, WireError};
use crate::limits::{HEADER_PIECE, MAX_HEADER};
use crate::reader::Reader;
use bytes::Bytes;

/// Length, flags, number.
const PREFIX: usize = 4;
/// More pieces follow.
const MORE: u8 = 0x80;

/// Cuts a header's sections into pieces of [`HEADER_PIECE`] octets. A header of
/// more than 127 pieces cannot be numbered and gives `None`.
pub(crate) fn split(sections: &[u8]) -> Option<Vec<Bytes>> {
    let mut pieces = Vec::new();
    let mut rest = sections;
    loop {
        let cut = rest.len().min(HEADER_PIECE.saturating_sub(PREFIX));
        let (piece, behind) = rest.split_at_checked(cut)?;
        rest = behind;
        let number = u8::try_from(pieces.len()).ok().filter(|number| *number < MORE)?;
        let length = u16::try_from(piece.len().saturating_add(PREFIX)).ok()?;
        let mut out = length.to_be_bytes().to_vec();
        out.push(0);
        out.push(if rest.is_empty() { number } else { number | MORE });
        out.extend_from_slice(piece);
        pieces.push(Bytes::from(out));
        if rest.is_empty() {
            return Some(pieces);
        }
    }
}

/// Joins the pieces of one header.
#[derive(Debug, Clone, Default)]
pub(crate) struct HeaderJoiner {
    octets: Vec<u8>,
    next: u8,
}

impl HeaderJoiner {
    /// Whether a header has begun and is not whole.
    pub(crate) const fn is_open(&self) -> bool {
        self.next != 0
    }

    /// Takes a piece; gives the sections when it was the last. What stands
    /// behind the piece's length is passed over.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<Option<Vec<u8>>, WireError> {
        let mut reader = Reader::new(piece, "a header's piece");
        let said = usize::from(reader.u16()?);
        reader.u8()?;
        let sequence = reader.u8()?;
        let body = said.checked_sub(PREFIX).and_then(|body| reader.take(body).ok());
        let body = body.ok_or(WireCause::PieceLength { said, has: piece.len() }.at(0))?;
        let found = sequence & !MORE;
        if found != self.next {
            return Err(WireCause::PieceOrder { found, expected: self.next }.at(3));
        }
        if self.octets.len().saturating_add(body.len()) > MAX_HEADER {
            return Err(WireCause::HeaderTooLong(MAX_HEADER).at(0));
        }
        self.octets.extend_from_slice(body);
        if sequence & MORE == 0 {
            self.next = 0;
            return Ok(Some(std::mem::take(&mut self.octets)));
        }
        if found == !MORE {
            return Err(WireCause::PieceOrder { found: 0, expected: MORE }.at(3));
        }
        self.next = found.saturating_add(1);
        Ok(None)
    }
}

pub(super) fn fuzz(sections: &[u8]) {
    let mut joiner = HeaderJoiner::default();
    let mut whole = None;
    for piece in split(sections).unwrap_or_default() {
        assert!(whole.is_none(), "nothing follows the last piece");
        whole = joiner.push(&piece).unwrap_or_default();
    }
    if sections.len() < 127 * (HEADER_PIECE - PREFIX) {
        assert_eq!(whole.as_deref(), Some(sections), "pieces come back");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_cut_at_256_and_numbered() {
        for length in [0, 1, 252, 253, 504, 505, 5000] {
            fuzz(&vec![7; length]);
        }
        let pieces = split(&[7; 292]).unwrap();
        assert_eq!(pieces.len(), 2);
        assert_eq!((&pieces[0][..4], pieces[0].len()), (&b"\x01\x00\x00\x80"[..], 256));
        assert_eq!((&pieces[1][..4], pieces[1].len()), (&b"\x00\x2c\x00\x01"[..], 44));
        assert!(split(&vec![7; 128 * 252 + 1]).is_none());
    }

    #[test]
    fn a_game_with_numbers_ends_the_header() {
        let mut joiner = HeaderJoiner::default();
        assert_eq!(joiner.push(b"\x00\x05\x00\x80a"), Ok(None));
        assert!(joiner.is_open());
        let again = joiner.clone().push(b"\x00\x05\x00\x80a");
        assert_eq!(again, Err(WireCause::PieceOrder { found: 0, expected: 1 }.at(3)));
        let skipped = joiner.clone().push(b"\x00\x05\x00\x02a");
        assert_eq!(skipped, Err(WireCause::PieceOrder { found: 2, expected: 1 }.at(3)));
        assert_eq!(joiner.push(b"\x00\x05\x00\x01b"), Ok(Some(b"ab".to_vec())));
        assert!(!joiner.is_open());
        let short = joiner.push(b"\x00\x09\x00\x00a");
        assert_eq!(short, Err(WireCause::PieceLength { said: 9, has: 5 }.at(0)));
        let none = joiner.push(b"\x00\x03\x00\x00");
        assert_eq!(none, Err(WireCause::PieceLength { said: 3, has: 4 }.at(0)));
        let mut joiner = HeaderJoiner::default();
        for number in 0..127 {
            assert_eq!(joiner.push(&[0, 4, 0, 0x80 | number]), Ok(None));
        }
        assert!(joiner.push(&[0, 4, 0, 0xff]).is_err(), "no number is left for the next");
    }
}
