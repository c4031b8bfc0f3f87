//! Blocks: what stands in a TTR. Either one of three short sequences of the line
//! protocol, or records behind a block control octet (BCB) and a function control
//! sequence (FCS).

use crate::error::{WireCause, WireError};
use crate::reader::Reader;
use crate::stream::{StreamId, StreamKind};
use bytes::{BufMut, Bytes, BytesMut};

const SYN: u8 = 0x32;
const SOH: u8 = 0x01;
const ENQ: u8 = 0x2d;
const DLE: u8 = 0x10;
const ACK0: u8 = 0x70;
const STX: u8 = 0x02;
const NAK: u8 = 0x3d;
/// Sent by FUNET behind the short sequences, as on a binary synchronous line.
const PAD: u8 = 0xff;

/// Octets of a block around its records: DLE STX BCB FCS, and the X'00' that ends
/// it.
pub const BLOCK_OVERHEAD: usize = 6;

/// A block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// SOH ENQ: may I sign on?
    Enquiry,
    /// DLE ACK0: yes, or simply "received".
    Acknowledge,
    /// NAK: the other end shall enquire again.
    LineNak,
    /// Records.
    Data(DataBlock),
}

/// A block with records, or with none (a null block).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataBlock {
    /// Its place among the blocks.
    pub bcb: Bcb,
    /// Which streams of the reader may run.
    pub fcs: Fcs,
    /// The records with what ends them; read them by
    /// [`crate::RecordReader`].
    pub records: Bytes,
}

/// A block control octet: the block's number modulo 16, and what to do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bcb {
    /// The block has this number.
    Normal(u8),
    /// The number is not looked at, and the count does not step.
    Bypass(u8),
    /// The count of what follows begins at this number; the block itself does not
    /// count.
    Reset(u8),
}

impl Bcb {
    fn parse(octet: u8) -> Option<Self> {
        let count = octet & 0x0f;
        match octet & 0xf0 {
            0x80 => Some(Self::Normal(count)),
            0x90 => Some(Self::Bypass(count)),
            0xa0 => Some(Self::Reset(count)),
            _ => None,
        }
    }

    /// Its octet.
    pub const fn octet(self) -> u8 {
        match self {
            Self::Normal(count) => 0x80 | (count & 0x0f),
            Self::Bypass(count) => 0x90 | (count & 0x0f),
            Self::Reset(count) => 0xa0 | (count & 0x0f),
        }
    }
}

/// A function control sequence: which streams the sender of the block is ready to
/// receive (HASA600, FCS: a bit that is off holds its stream).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fcs(pub u16);

impl Fcs {
    /// Everything may run.
    pub const ALL: Self = Self(0x8fcf);
    /// Nothing may run, messages included: wait a bit.
    pub const WAIT_A_BIT: Self = Self(0xcfcf);

    /// Whether everything is held.
    pub const fn holds_all(self) -> bool {
        self.0 & 0x4000 != 0
    }

    /// Whether messages and commands may be sent.
    pub const fn console_runs(self) -> bool {
        self.0 & 0x0040 != 0 && !self.holds_all()
    }

    /// Whether a stream may run. SYSIN and SYSOUT streams share bits.
    pub const fn runs(self, stream: StreamId) -> bool {
        self.0 & Self::bit(stream) != 0 && !self.holds_all()
    }

    /// The same with one stream held.
    #[must_use]
    pub const fn without(self, stream: StreamId) -> Self {
        Self(self.0 & !Self::bit(stream))
    }

    const fn bit(stream: StreamId) -> u16 {
        // SYSIN streams count from the left, SYSOUT streams from the right.
        let place = match stream.kind() {
            StreamKind::Sysin => stream.number(),
            StreamKind::Sysout => 9 - stream.number(),
        };
        match place {
            1 => 0x0800,
            2 => 0x0400,
            3 => 0x0200,
            4 => 0x0100,
            5 => 0x0008,
            6 => 0x0004,
            7 => 0x0002,
            _ => 0x0001,
        }
    }
}

impl Block {
    /// Reads a block. SYN in front and padding behind the short sequences are
    /// passed over.
    pub fn parse(octets: &Bytes) -> Result<Self, WireError> {
        let syns = octets.iter().take_while(|octet| **octet == SYN).count();
        let body = octets.slice(syns..);
        let mut reader = Reader::new(&body, "a block");
        let first = reader.u8().map_err(|e| e.behind(syns))?;
        let second = reader.u8().ok();
        match (first, second) {
            (SOH, Some(ENQ)) => Ok(Self::Enquiry),
            (DLE, Some(ACK0)) => Ok(Self::Acknowledge),
            (NAK, _) => Ok(Self::LineNak),
            (DLE, Some(STX)) => {
                let octet = reader.u8().map_err(|e| e.behind(syns))?;
                let fcs = Fcs(reader.u16().map_err(|e| e.behind(syns))?);
                let bcb = Bcb::parse(octet);
                let bcb = bcb.ok_or(WireCause::UnknownBcb(octet).at(syns.saturating_add(2)))?;
                Ok(Self::Data(DataBlock { bcb, fcs, records: body.slice(reader.at()..) }))
            }
            _ => Err(WireCause::UnknownBlock(first).at(syns)),
        }
    }

    /// Its octets; `pad` puts X'FF' behind the short sequences, as FUNET does.
    pub fn octets(&self, pad: bool) -> Bytes {
        let mut out = BytesMut::new();
        match self {
            Self::Enquiry => out.put_slice(&[SOH, ENQ]),
            Self::Acknowledge => out.put_slice(&[DLE, ACK0]),
            Self::LineNak => out.put_slice(&[SYN, NAK]),
            Self::Data(block) => {
                out.put_slice(&[DLE, STX, block.bcb.octet()]);
                out.put_u16(block.fcs.0);
                out.put_slice(&block.records);
            }
        }
        if pad && !matches!(self, Self::Data(_)) {
            out.put_u8(PAD);
        }
        out.freeze()
    }
}

/// What becomes of a block by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sequence {
    /// It is the next one.
    Next,
    /// It came before and is dropped without a word.
    Duplicate,
    /// Blocks are missing.
    Gap {
        /// The number that was due.
        expected: u8,
        /// The number that came.
        found: u8,
    },
}

/// Checks the numbers of the blocks that come.
#[derive(Debug, Clone, Copy, Default)]
pub struct SequenceCheck {
    expected: u8,
    last: Option<u8>,
}

impl SequenceCheck {
    /// Judges the next block.
    pub const fn judge(&mut self, bcb: Bcb) -> Sequence {
        match bcb {
            Bcb::Bypass(_) => Sequence::Next,
            Bcb::Reset(count) => {
                self.expected = count;
                self.last = None;
                Sequence::Next
            }
            Bcb::Normal(count) if count == self.expected => {
                self.last = Some(count);
                self.expected = (count + 1) & 0x0f;
                Sequence::Next
            }
            Bcb::Normal(count) => match self.last {
                Some(last) if last == count => Sequence::Duplicate,
                _ => Sequence::Gap { expected: self.expected, found: count },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_wrap_and_a_reset_does_not_count() {
        let mut check = SequenceCheck::default();
        assert_eq!(check.judge(Bcb::Reset(0)), Sequence::Next);
        for count in (0..16).chain(0..3) {
            assert_eq!(check.judge(Bcb::Normal(count)), Sequence::Next);
        }
        assert_eq!(check.judge(Bcb::Normal(2)), Sequence::Duplicate);
        assert_eq!(check.judge(Bcb::Bypass(9)), Sequence::Next);
        assert_eq!(check.judge(Bcb::Normal(3)), Sequence::Next);
        assert_eq!(check.judge(Bcb::Normal(6)), Sequence::Gap { expected: 4, found: 6 });
        assert_eq!(check.judge(Bcb::Reset(6)), Sequence::Next);
        assert_eq!(check.judge(Bcb::Normal(6)), Sequence::Next);
    }

    #[test]
    fn each_stream_has_its_bit() {
        for kind in [StreamKind::Sysin, StreamKind::Sysout] {
            for number in 1..=7 {
                let stream = StreamId::new(kind, number).unwrap();
                assert!(Fcs::ALL.runs(stream) && !Fcs::WAIT_A_BIT.runs(stream));
                let held = Fcs::ALL.without(stream);
                assert!(!held.runs(stream) && held.console_runs());
                assert_eq!((Fcs::ALL.0 ^ held.0).count_ones(), 1);
            }
        }
        let stream = StreamId::new(StreamKind::Sysout, 7).unwrap();
        assert!(!Fcs(0x8bcf).runs(stream), "HASA600: shared with SYSIN 2");
    }

    #[test]
    fn short_sequences_are_read_with_and_without_padding() {
        for (octets, block) in [
            (&b"\x01\x2d"[..], Block::Enquiry),
            (b"\x32\x01\x2d\xff", Block::Enquiry),
            (b"\x10\x70\xff", Block::Acknowledge),
            (b"\x32\x3d", Block::LineNak),
        ] {
            assert_eq!(Block::parse(&Bytes::from_static(octets)), Ok(block));
        }
        let bad = Bytes::from_static(b"\x32\x10\x02\xc0\x8f\xcf\0");
        assert_eq!(Block::parse(&bad), Err(WireCause::UnknownBcb(0xc0).at(3)));
        let bad = Bytes::from_static(b"\x32\x55");
        assert_eq!(Block::parse(&bad), Err(WireCause::UnknownBlock(0x55).at(1)));
        assert!(Block::parse(&Bytes::from_static(b"\x32\x32")).is_err());
        assert!(Block::parse(&Bytes::from_static(b"\x10\x02\x80\x8f")).is_err());
    }
}
