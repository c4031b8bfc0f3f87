//! TTB and TTR: how blocks are framed on a TCP connection.

use crate::error::{WireCause, WireError};
use crate::limits::{MAX_PADDING, MIN_TTB};
use crate::reader::Reader;
use bytes::{BufMut, Bytes, BytesMut};
use std::collections::VecDeque;

const HEADER: usize = 8;
const TTR: usize = 4;
const FAST_OPEN: u8 = 0x80;

/// One thing of a TTB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// A TTB without a block: only a sign of life.
    KeepAlive,
    /// A block.
    Block {
        /// Where it begins in the connection, counted in octets from the first
        /// that was fed.
        at: u64,
        /// The FAST OPEN flag: data follows without waiting for permission.
        fast_open: bool,
        /// The block.
        octets: Bytes,
    },
}

/// Cuts blocks out of a connection, after its control record. Holds no more than
/// one TTB and what was fed last.
#[derive(Debug, Default)]
pub struct FrameReader {
    held: BytesMut,
    units: VecDeque<Unit>,
    at: u64,
    began: bool,
}

impl FrameReader {
    /// A reader whose first octet is the `at`th of the connection.
    pub fn new(at: u64) -> Self {
        Self { at, ..Self::default() }
    }

    /// Takes what came.
    pub fn feed(&mut self, octets: &[u8]) {
        self.held.extend_from_slice(octets);
    }

    /// Where the next TTB begins in the connection.
    pub const fn at(&self) -> u64 {
        self.at
    }

    /// The next block or sign of life; `None` until a whole TTB has come. The
    /// octet of an error is counted from [`FrameReader::at`].
    pub fn next_unit(&mut self) -> Result<Option<Unit>, WireError> {
        if let Some(unit) = self.units.pop_front() {
            return Ok(Some(unit));
        }
        if !self.began && !self.skip_padding()? {
            return Ok(None);
        }
        let Some(length) = self.length(0) else { return Ok(None) };
        let length = length.ok_or(WireCause::TtbHeader.at(0))?;
        if self.held.len() < length {
            return Ok(None);
        }
        let ttb = self.held.split_to(length).freeze();
        let begin = self.at;
        self.at = begin.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        self.units = units(&ttb, begin)?;
        Ok(self.units.pop_front())
    }

    /// The length of a TTB whose header stands `skip` octets ahead. Outer `None`:
    /// not yet there; inner: no header.
    #[allow(clippy::option_option)] // two questions, answered in order
    fn length(&self, skip: usize) -> Option<Option<usize>> {
        let header = self.held.get(skip..)?.first_chunk::<HEADER>()?;
        let [0, 0, high, low, 0, 0, 0, 0] = *header else { return Some(None) };
        let length = usize::from(u16::from_be_bytes([high, low]));
        Some((length >= MIN_TTB).then_some(length))
    }

    /// Some peers send a control record of 36 octets.
    fn skip_padding(&mut self) -> Result<bool, WireError> {
        for skip in 0..=MAX_PADDING {
            match self.length(skip) {
                None => return Ok(false),
                Some(None) => {}
                Some(Some(_)) => {
                    let _ = self.held.split_to(skip);
                    self.at = self.at.saturating_add(u64::try_from(skip).unwrap_or_default());
                    self.began = true;
                    return Ok(true);
                }
            }
        }
        Err(WireCause::TtbHeader.at(0))
    }
}

fn units(ttb: &Bytes, begin: u64) -> Result<VecDeque<Unit>, WireError> {
    let mut units = VecDeque::new();
    let mut reader = Reader::new(ttb, "a TTB");
    reader.take(HEADER)?;
    loop {
        let at = reader.at();
        let [flags, _, high, low] = reader.array().map_err(|_| WireCause::TtbEnd.at(at))?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length == 0 {
            break;
        }
        let from = reader.at();
        reader.take(length).map_err(|_| WireCause::TtrLength(length).at(at))?;
        units.push_back(Unit::Block {
            at: begin.saturating_add(u64::try_from(from).unwrap_or(u64::MAX)),
            fast_open: flags & FAST_OPEN != 0,
            octets: ttb.slice(from..reader.at()),
        });
    }
    if !reader.rest().is_empty() {
        return Err(WireCause::TtbEnd.at(reader.at()));
    }
    if units.is_empty() {
        units.push_back(Unit::KeepAlive);
    }
    Ok(units)
}

/// Octets that blocks take in a TTB, its own included.
pub fn ttb_length<'a>(blocks: impl IntoIterator<Item = &'a Bytes>) -> usize {
    blocks
        .into_iter()
        .fold(MIN_TTB, |sum, block| sum.saturating_add(TTR).saturating_add(block.len()))
}

/// Appends a TTB with these blocks; none make a sign of life. Nothing is written
/// if they are longer than [`crate::limits::MAX_TTB`], which the caller rules out
/// by [`ttb_length`].
pub fn write_ttb(blocks: &[Bytes], out: &mut BytesMut) {
    let Ok(length) = u16::try_from(ttb_length(blocks)) else { return };
    out.put_u16(0);
    out.put_u16(length);
    out.put_u32(0);
    for block in blocks {
        out.put_u16(0);
        out.put_u16(u16::try_from(block.len()).unwrap_or(u16::MAX));
        out.put_slice(block);
    }
    out.put_u32(0);
}

pub(crate) fn fuzz(data: &[u8]) {
    let mut whole = FrameReader::new(0);
    whole.feed(data);
    let mut single = FrameReader::new(0);
    for octet in data {
        single.feed(std::slice::from_ref(octet));
    }
    loop {
        let unit = whole.next_unit();
        assert_eq!(unit, single.next_unit(), "blocks are the same however they are cut");
        let Ok(Some(unit)) = unit else { break };
        if let Unit::Block { octets, .. } = unit {
            let mut out = BytesMut::new();
            write_ttb(std::slice::from_ref(&octets), &mut out);
            let mut again = FrameReader::new(0);
            again.feed(&out);
            assert!(
                octets.len() + 16 > crate::limits::MAX_TTB
                    || matches!(again.next_unit(), Ok(Some(Unit::Block { octets: o, .. })) if o == octets),
                "a block comes back"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_behind_the_control_record_is_skipped() {
        for padding in [&b""[..], b"\0", b"\0\0", b"\0\0\0", b"xyz"] {
            let mut reader = FrameReader::new(33);
            reader.feed(padding);
            reader.feed(b"\0\0\0\x12\0\0\0\0\0\0\0\x02\x10\x70\0\0\0\0");
            let unit = reader.next_unit().unwrap().unwrap();
            let Unit::Block { at, octets, .. } = unit else { panic!("{unit:?}") };
            assert_eq!(at, 33 + padding.len() as u64 + 12);
            assert_eq!(&octets[..], b"\x10\x70");
            reader.feed(b"\0\0\0\x0c\0\0\0\0\0\0\0\0");
            assert_eq!(reader.next_unit(), Ok(Some(Unit::KeepAlive)));
            assert_eq!(reader.next_unit(), Ok(None));
        }
    }

    #[test]
    fn what_is_no_ttb_is_refused_where_it_stands() {
        let mut reader = FrameReader::new(33);
        reader.feed(&[7; 16]);
        assert_eq!(reader.next_unit(), Err(WireCause::TtbHeader.at(0)));
        let mut reader = FrameReader::new(0);
        reader.feed(b"\0\0\0\x10\0\0\0\0\0\0\0\x09abcd");
        assert_eq!(reader.next_unit(), Err(WireCause::TtrLength(9).at(8)));
        let mut reader = FrameReader::new(0);
        reader.feed(b"\0\0\0\x0e\0\0\0\0\0\0\0\0ab");
        assert_eq!(reader.next_unit(), Err(WireCause::TtbEnd.at(12)));
        let mut reader = FrameReader::new(0);
        reader.feed(b"\0\0\0\x0e\0\0\0\0\0\0\0\x02ab");
        assert_eq!(reader.next_unit(), Err(WireCause::TtbEnd.at(14)));
    }
}
