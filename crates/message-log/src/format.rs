//! Octets of segments and records.

use serde::{Deserialize, Serialize};

/// The block that disks and file systems write at once. Every write begins at
/// a multiple of it, so what was acknowledged is never written again.
pub const BLOCK: u64 = 4_096;
/// Octets in front of a segment's first record.
pub(crate) const SEGMENT_HEADER: u64 = BLOCK;
/// Octets in front of a record's meta.
pub(crate) const RECORD_HEADER: usize = 40;
const SEGMENT_MAGIC: &[u8; 8] = b"CONCLOG1";
pub(crate) const RECORD_MAGIC: [u8; 4] = *b"CREC";
/// Records start at multiples of this, so that salvage tries few places.
pub(crate) const ALIGN: u64 = 8;
/// Acts are small; the largest are lists of UIDs. More is damage or a defect.
pub const MAX_META_OCTETS: u32 = 64 << 20;
/// Larger bodies go to files of their own long before this.
pub const MAX_BODY_OCTETS: u64 = 256 << 20;

/// A place in the log, at the start of a record or behind the last one.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Position {
    /// Segment number; the first is 1, 0 is before everything.
    pub segment: u64,
    /// Octets from the segment's start.
    pub offset: u64,
}

/// Where octets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Location {
    /// Segment number.
    pub segment: u64,
    /// Octets from the segment's start.
    pub offset: u64,
    /// How many octets.
    pub octets: u64,
}

/// A record's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    pub sequence: u64,
    pub meta_octets: u32,
    pub body_octets: u64,
    pub meta_crc: u32,
    pub body_crc: u32,
    /// Records of the same write in front of it. A write begins only after the
    /// one before is synced, so a record that begins one (0) proves that all
    /// in front of it was synced.
    pub in_batch: u32,
}

impl RecordHeader {
    /// The log's identity goes into the checksum: what stands in a mail cannot
    /// look like a record, because nobody outside knows it.
    pub fn encode(&self, log_id: &[u8; 16]) -> [u8; RECORD_HEADER] {
        let mut rest = Vec::with_capacity(RECORD_HEADER);
        rest.extend_from_slice(&self.sequence.to_le_bytes());
        rest.extend_from_slice(&self.meta_octets.to_le_bytes());
        rest.extend_from_slice(&self.body_octets.to_le_bytes());
        rest.extend_from_slice(&self.meta_crc.to_le_bytes());
        rest.extend_from_slice(&self.body_crc.to_le_bytes());
        rest.extend_from_slice(&self.in_batch.to_le_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(log_id), &rest);
        let mut out = [0; RECORD_HEADER];
        let bytes = RECORD_MAGIC.into_iter().chain(crc.to_le_bytes()).chain(rest);
        out.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        out
    }

    /// `None` if it is no valid header.
    pub fn decode(octets: &[u8; RECORD_HEADER], log_id: &[u8; 16]) -> Option<Self> {
        let (magic, rest) = octets.split_first_chunk::<4>()?;
        let (crc, rest) = rest.split_first_chunk::<4>()?;
        if *magic != RECORD_MAGIC
            || u32::from_le_bytes(*crc) != crc32c::crc32c_append(crc32c::crc32c(log_id), rest)
        {
            return None;
        }
        let (sequence, rest) = rest.split_first_chunk::<8>()?;
        let (meta_octets, rest) = rest.split_first_chunk::<4>()?;
        let (body_octets, rest) = rest.split_first_chunk::<8>()?;
        let (meta_crc, rest) = rest.split_first_chunk::<4>()?;
        let (body_crc, rest) = rest.split_first_chunk::<4>()?;
        let (in_batch, _) = rest.split_first_chunk::<4>()?;
        let header = Self {
            sequence: u64::from_le_bytes(*sequence),
            meta_octets: u32::from_le_bytes(*meta_octets),
            body_octets: u64::from_le_bytes(*body_octets),
            meta_crc: u32::from_le_bytes(*meta_crc),
            body_crc: u32::from_le_bytes(*body_crc),
            in_batch: u32::from_le_bytes(*in_batch),
        };
        let sane = header.meta_octets <= MAX_META_OCTETS && header.body_octets <= MAX_BODY_OCTETS;
        sane.then_some(header)
    }

    /// Octets from the header's start to the next record.
    pub fn span(&self) -> u64 {
        let header = RECORD_HEADER as u64;
        (header + u64::from(self.meta_octets) + self.body_octets).next_multiple_of(ALIGN)
    }
}

/// A segment's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub segment: u64,
    pub log_id: [u8; 16],
}

impl SegmentHeader {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = SEGMENT_MAGIC.to_vec();
        out.extend_from_slice(&self.segment.to_le_bytes());
        out.extend_from_slice(&self.log_id);
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out.resize(SEGMENT_HEADER as usize, 0);
        out
    }

    pub fn decode(octets: &[u8]) -> Option<Self> {
        let checked = octets.get(..32)?;
        let (magic, rest) = checked.split_first_chunk::<8>()?;
        let (segment, rest) = rest.split_first_chunk::<8>()?;
        let (log_id, _) = rest.split_first_chunk::<16>()?;
        let crc = octets.get(32..36).and_then(|c| <[u8; 4]>::try_from(c).ok())?;
        let good = magic == SEGMENT_MAGIC && u32::from_le_bytes(crc) == crc32c::crc32c(checked);
        good.then_some(Self { segment: u64::from_le_bytes(*segment), log_id: *log_id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn headers_read_back(sequence: u64, meta_octets in 0..MAX_META_OCTETS, body_octets in 0..MAX_BODY_OCTETS, meta_crc: u32, body_crc: u32, in_batch: u32) {
            let header = RecordHeader { sequence, meta_octets, body_octets, meta_crc, body_crc, in_batch };
            prop_assert_eq!(RecordHeader::decode(&header.encode(&[5; 16]), &[5; 16]), Some(header));
        }

        #[test]
        fn one_flipped_bit_is_noticed(bit in 0usize..(RECORD_HEADER * 8)) {
            let header = RecordHeader { sequence: 7, meta_octets: 8, body_octets: 9, meta_crc: 1, body_crc: 2, in_batch: 0 };
            let mut octets = header.encode(&[5; 16]);
            octets[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(RecordHeader::decode(&octets, &[5; 16]), None);
        }
    }

    #[test]
    fn segment_headers_read_back() {
        let header = SegmentHeader { segment: 3, log_id: [9; 16] };
        assert_eq!(SegmentHeader::decode(&header.encode()), Some(header));
        assert_eq!(SegmentHeader::decode(&[0; 64]), None);
    }
}
