//! Segments: how NETDATA's records lie in cards.
//!
//! A segment is its length (2 to 255, itself and the flags counted), flags, and
//! up to 253 octets. Segments run on across cards. A length of 0 or 1 is padding
//! behind the last one.

use super::NetdataError;
use crate::limits::{CARD, MAX_CONTROL_RECORD, MAX_RECORD, MAX_SEGMENT, MAX_SPOOL_OCTETS};
use crate::{Place, Records};

const FIRST: u8 = 0x80;
const LAST: u8 = 0x40;
const CONTROL: u8 = 0x20;
/// The segment is the number of the next record, which nobody needs.
const NUMBER: u8 = 0x10;
/// A trailing blank that a transport has cut off.
const BLANK: u8 = 0x40;

/// The octets of cards, one after the other.
struct Octets<'a> {
    cards: &'a Records,
    at: Place,
}

impl Octets<'_> {
    /// The next octet. A card that is shorter than [`CARD`] has blanks behind it,
    /// which NJE may leave off.
    fn next(&mut self) -> Option<u8> {
        loop {
            let card = self.cards.get(self.at.record)?;
            let Place { record, offset } = self.at;
            self.at.offset = offset.saturating_add(1);
            if let Some(octet) = card.get(offset) {
                return Some(*octet);
            }
            if offset < CARD {
                return Some(BLANK);
            }
            self.at = Place::start(record.saturating_add(1));
        }
    }
}

/// A record of the transmission.
#[derive(Debug)]
pub(super) struct Logical {
    pub octets: Vec<u8>,
    pub control: bool,
    /// Where its first segment begins.
    pub place: Place,
}

/// Puts the records of a transmission together from cards.
pub(super) struct Reader<'a> {
    octets: Octets<'a>,
}

impl<'a> Reader<'a> {
    pub fn new(cards: &'a Records) -> Result<Self, NetdataError> {
        if cards.octets() > MAX_SPOOL_OCTETS {
            return Err(NetdataError::TooLarge(MAX_SPOOL_OCTETS));
        }
        Ok(Self { octets: Octets { cards, at: Place::default() } })
    }

    /// Where the next segment begins.
    pub fn place(&self) -> Place {
        self.octets.at
    }

    /// The next record; none where the cards or their segments end.
    pub fn next(&mut self) -> Result<Option<Logical>, NetdataError> {
        let mut record: Option<Logical> = None;
        loop {
            let place = self.octets.at;
            let ended = |open: bool| match open {
                true => Err(NetdataError::Truncated(place)),
                false => Ok(None),
            };
            let length = self.octets.next().unwrap_or_default();
            let Some(data) = length.checked_sub(2) else { return ended(record.is_some()) };
            let Some(flags) = self.octets.next() else {
                return Err(NetdataError::Truncated(place));
            };
            if flags & NUMBER != 0 {
                for _ in 0..data {
                    self.octets.next().ok_or(NetdataError::Truncated(place))?;
                }
                continue;
            }
            let control = flags & CONTROL != 0;
            let mut open = match (record.take(), flags & FIRST != 0) {
                (Some(_), true) => return Err(NetdataError::RecordNotEnded(place)),
                (None, false) => return Err(NetdataError::RecordNotBegun(place)),
                (Some(open), false) if open.control != control => {
                    return Err(NetdataError::MixedRecord(place));
                }
                (Some(open), false) => open,
                (None, true) => Logical { octets: Vec::new(), control, place },
            };
            for _ in 0..data {
                open.octets.push(self.octets.next().ok_or(NetdataError::Truncated(place))?);
            }
            if control && open.octets.len() > MAX_CONTROL_RECORD {
                return Err(NetdataError::ControlTooLong(open.place));
            }
            if open.octets.len() > MAX_RECORD {
                return Err(NetdataError::RecordTooLong(open.place));
            }
            if flags & LAST != 0 {
                return Ok(Some(open));
            }
            record = Some(open);
        }
    }
}

/// Cuts records into segments and segments into cards.
#[derive(Default)]
pub(super) struct Writer {
    stream: Vec<u8>,
}

impl Writer {
    /// Adds a record of the transmission.
    pub fn record(&mut self, record: &[u8], control: bool) {
        let kind = if control { CONTROL } else { 0 };
        let count = record.len().div_ceil(MAX_SEGMENT).max(1);
        for number in 0..count {
            let from = number.saturating_mul(MAX_SEGMENT);
            let to = from.saturating_add(MAX_SEGMENT).min(record.len());
            let data = record.get(from..to).unwrap_or_default();
            let first = if number == 0 { FIRST } else { 0 };
            let last = if number.saturating_add(1) == count { LAST } else { 0 };
            // At most 253 octets and two.
            let length = u8::try_from(data.len().saturating_add(2)).unwrap_or(u8::MAX);
            self.stream.extend([length, first | last | kind]);
            self.stream.extend_from_slice(data);
        }
    }

    /// The cards, the last one padded.
    pub fn cards(mut self) -> Records {
        self.stream.resize(self.stream.len().next_multiple_of(CARD), 0);
        self.stream.chunks(CARD).collect()
    }
}
