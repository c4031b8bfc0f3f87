//! Data records: cards and lines, and how long ones travel in pieces.

use crate::error::{WireCause, WireError};
use crate::limits::{MAX_FIRST_PIECE, MAX_PIECE, MAX_SPANNED};
use crate::record::JobRecord;
use crate::text::BLANK;
use bytes::Bytes;

/// What the first octet of a data record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordFormat {
    /// Data: no carriage control.
    Plain,
    /// A machine code of carriage control (a channel command).
    Machine,
    /// An ASA character of carriage control: `1` a new page, blank a new line,
    /// `0` two, `-` three, `+` none (Q254916).
    Asa,
    /// Composed page data.
    Cpds,
}

impl RecordFormat {
    const fn srcb_high(srcb: u8) -> u8 {
        srcb & 0xf0
    }

    /// The format of a subrecord control octet.
    pub(crate) const fn parse(srcb: u8) -> Option<Self> {
        match Self::srcb_high(srcb) {
            0x80 => Some(Self::Plain),
            0x90 => Some(Self::Machine),
            0xa0 => Some(Self::Asa),
            0xb0 => Some(Self::Cpds),
            _ => None,
        }
    }

    pub(crate) const fn srcb(self) -> u8 {
        match self {
            Self::Plain => 0x80,
            Self::Machine => 0x90,
            Self::Asa => 0xa0,
            Self::Cpds => 0xb0,
        }
    }
}

/// Which piece of a data record a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// All of it.
    Whole,
    /// The first, which says how long all are.
    First,
    /// One between.
    Middle,
    /// The last.
    Last,
}

impl Piece {
    pub(crate) const fn parse(srcb: u8) -> Option<Self> {
        match srcb & 0x0f {
            0x00 => Some(Self::Whole),
            0x08 => Some(Self::First),
            0x04 => Some(Self::Middle),
            0x0c => Some(Self::Last),
            _ => None,
        }
    }

    pub(crate) const fn srcb(self) -> u8 {
        match self {
            Self::Whole => 0x00,
            Self::First => 0x08,
            Self::Middle => 0x04,
            Self::Last => 0x0c,
        }
    }
}

/// A data record: a card or a line, as the application sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataRecord {
    /// What its first octet is.
    pub format: RecordFormat,
    /// Its octets; the first is the carriage control if `format` is not plain.
    pub octets: Bytes,
}

impl DataRecord {
    /// A card or another record without carriage control.
    pub fn plain(octets: impl Into<Bytes>) -> Self {
        Self { format: RecordFormat::Plain, octets: octets.into() }
    }

    /// The carriage control, if the format has one.
    pub fn carriage_control(&self) -> Option<u8> {
        if self.format == RecordFormat::Plain { None } else { self.octets.first().copied() }
    }

    /// What stands behind the carriage control.
    pub fn text(&self) -> &[u8] {
        let skip = usize::from(self.format != RecordFormat::Plain);
        self.octets.get(skip..).unwrap_or_default()
    }

    /// The job records that carry it: one, or several if it is longer than
    /// [`MAX_PIECE`]. `None` if it is longer than [`MAX_SPANNED`].
    pub(crate) fn pieces(&self) -> Option<Vec<(JobRecord, Bytes)>> {
        let kind = |piece| JobRecord::Data(self.format, piece);
        let prefixed = |lrecl: &[u8], octets: &[u8]| {
            let mut out = vec![u8::try_from(octets.len()).unwrap_or(u8::MAX)];
            out.extend_from_slice(lrecl);
            out.extend_from_slice(octets);
            Bytes::from(out)
        };
        if self.octets.len() <= MAX_PIECE {
            return Some(vec![(kind(Piece::Whole), prefixed(&[], &self.octets))]);
        }
        if self.octets.len() > MAX_SPANNED {
            return None;
        }
        let length = u16::try_from(self.octets.len()).ok()?;
        let (first, rest) = self.octets.split_at_checked(MAX_FIRST_PIECE)?;
        let mut pieces = vec![(kind(Piece::First), prefixed(&length.to_be_bytes(), first))];
        let mut rest = rest.chunks(MAX_PIECE).peekable();
        while let Some(octets) = rest.next() {
            let piece = if rest.peek().is_some() { Piece::Middle } else { Piece::Last };
            pieces.push((kind(piece), prefixed(&[], octets)));
        }
        Some(pieces)
    }
}

#[derive(Debug, Clone)]
struct Spanned {
    format: RecordFormat,
    length: usize,
    octets: Vec<u8>,
}

/// Puts the data records of a stream together.
#[derive(Debug, Clone, Default)]
pub struct DataJoiner {
    spanned: Option<Spanned>,
}

impl DataJoiner {
    /// Whether a record has begun and is not whole.
    pub const fn is_open(&self) -> bool {
        self.spanned.is_some()
    }

    /// Takes a piece; gives the record when it is whole. Blanks that were left
    /// off are put back. The octet of an error is one of `octets`.
    pub fn push(
        &mut self,
        format: RecordFormat,
        piece: Piece,
        octets: &[u8],
    ) -> Result<Option<DataRecord>, WireError> {
        let Some((said, mut body)) = octets.split_first() else {
            return Err(WireCause::EndsEarly("a data record").at(0));
        };
        let said = usize::from(*said);
        let started = !matches!(piece, Piece::Whole | Piece::First);
        if started != self.spanned.as_ref().is_some_and(|s| s.format == format)
            || (!started && self.is_open())
        {
            return Err(WireCause::SpanOrder.at(0));
        }
        if piece == Piece::First {
            let Some((length, rest)) = body.split_first_chunk::<2>() else {
                return Err(WireCause::EndsEarly("a spanned record").at(octets.len()));
            };
            let length = usize::from(u16::from_be_bytes(*length));
            if length > MAX_SPANNED {
                return Err(WireCause::SpanLength(length).at(1));
            }
            body = rest;
            self.spanned = Some(Spanned { format, length, octets: Vec::new() });
        }
        if body.len() > said {
            return Err(WireCause::DataLength { said, has: body.len() }.at(0));
        }
        let mut body = body.to_vec();
        body.resize(said, BLANK);
        let Some(mut spanned) = self.spanned.take() else {
            return Ok(Some(DataRecord { format, octets: body.into() }));
        };
        spanned.octets.append(&mut body);
        let has = spanned.octets.len();
        if has > spanned.length || (piece == Piece::Last && has < spanned.length) {
            return Err(WireCause::SpanLength(spanned.length).at(0));
        }
        // A record whose octets are all there is whole, whatever its last piece
        // calls itself.
        if has == spanned.length && piece != Piece::First {
            return Ok(Some(DataRecord { format, octets: spanned.octets.into() }));
        }
        self.spanned = Some(spanned);
        Ok(None)
    }
}

pub(crate) fn fuzz(data: &[u8]) {
    let record = DataRecord { format: RecordFormat::Asa, octets: Bytes::copy_from_slice(data) };
    let Some(pieces) = record.pieces() else { return };
    let mut joiner = DataJoiner::default();
    let mut whole = None;
    for (kind, octets) in pieces {
        assert!(whole.is_none(), "nothing follows a whole record");
        let JobRecord::Data(format, piece) = kind else { return };
        whole = joiner.push(format, piece, &octets).unwrap_or_default();
    }
    assert_eq!(whole, Some(record), "a data record comes back");
    let mut joiner = DataJoiner::default();
    for piece in data.chunks(64) {
        let srcb = piece.first().copied().unwrap_or_default();
        if let (Some(format), Some(kind)) = (RecordFormat::parse(srcb), Piece::parse(srcb)) {
            let _ = joiner.push(format, kind, piece.get(1..).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_that_were_left_off_come_back() {
        let mut joiner = DataJoiner::default();
        let card =
            joiner.push(RecordFormat::Plain, Piece::Whole, b"\x05\xc1\xc2").unwrap().unwrap();
        assert_eq!(&card.octets[..], b"\xc1\xc2\x40\x40\x40");
        let line = joiner.push(RecordFormat::Asa, Piece::Whole, b"\x04\xf1\xc1").unwrap().unwrap();
        assert_eq!(line.carriage_control(), Some(0xf1));
        assert_eq!(line.text(), b"\xc1\x40\x40");
        let longer = joiner.push(RecordFormat::Plain, Piece::Whole, b"\x01ab");
        assert_eq!(longer, Err(WireCause::DataLength { said: 1, has: 2 }.at(0)));
    }

    #[test]
    fn records_of_every_length_travel_in_pieces_and_come_back() {
        for length in [0, 1, 80, 255, 256, 253 + 255, 253 + 255 + 1, 32_760] {
            let octets: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            fuzz(&octets);
        }
        assert!(DataRecord::plain(vec![0; 32_761]).pieces().is_none());
    }

    #[test]
    fn pieces_in_disorder_are_refused() {
        let push = |joiner: &mut DataJoiner, piece, octets| {
            joiner.push(RecordFormat::Plain, piece, octets)
        };
        let mut joiner = DataJoiner::default();
        assert_eq!(push(&mut joiner, Piece::Middle, b"\x01a"), Err(WireCause::SpanOrder.at(0)));
        assert_eq!(push(&mut joiner, Piece::First, b"\x01\x00\x03a"), Ok(None));
        assert!(joiner.is_open());
        assert_eq!(push(&mut joiner, Piece::Whole, b"\x01a"), Err(WireCause::SpanOrder.at(0)));
        let other = joiner.push(RecordFormat::Asa, Piece::Last, b"\x02bc");
        assert_eq!(other, Err(WireCause::SpanOrder.at(0)));
        let short = push(&mut joiner.clone(), Piece::Last, b"\x01b");
        assert_eq!(short, Err(WireCause::SpanLength(3).at(0)));
        let long = push(&mut joiner.clone(), Piece::Middle, b"\x03bcd");
        assert_eq!(long, Err(WireCause::SpanLength(3).at(0)));
        let whole = push(&mut joiner, Piece::Middle, b"\x02bc").unwrap().unwrap();
        assert_eq!(&whole.octets[..], b"abc", "as a peer that knows no last piece sends it");
    }
}
