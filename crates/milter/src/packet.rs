//! Packets: a length of four octets in network order, a letter, data.

use crate::error::MilterError;
use crate::limits::MAX_RECEIVED_PACKET;
use bytes::{Buf, BufMut, Bytes, BytesMut};

const LENGTH: usize = 4;

/// Cuts packets out of a stream that comes in pieces of any size.
#[derive(Debug, Default)]
pub struct PacketReader {
    held: BytesMut,
}

impl PacketReader {
    /// A reader that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what came. Callers take out every packet by
    /// [`PacketReader::next_packet`] before they feed more, so no more is held than
    /// one packet and one piece.
    pub fn feed(&mut self, octets: &[u8]) {
        self.held.extend_from_slice(octets);
    }

    /// Whether octets are held that are no packet yet.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The next packet's letter and data; `None` if it has not come whole.
    pub fn next_packet(&mut self) -> Result<Option<(u8, Bytes)>, MilterError> {
        let Some(length) = self.held.first_chunk::<LENGTH>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length == 0 {
            return Err(MilterError::EmptyPacket);
        }
        if length > MAX_RECEIVED_PACKET {
            return Err(MilterError::PacketTooLong { octets: length, most: MAX_RECEIVED_PACKET });
        }
        let whole = length.saturating_add(LENGTH);
        if self.held.len() < whole {
            self.held.reserve(whole.saturating_sub(self.held.len()));
            return Ok(None);
        }
        let mut packet = self.held.split_to(whole).freeze();
        packet.advance(LENGTH);
        let letter = packet.get_u8();
        Ok(Some((letter, packet)))
    }
}

/// Appends a packet whose data `write` appends.
pub(crate) fn put(out: &mut BytesMut, letter: u8, write: impl FnOnce(&mut BytesMut)) {
    let at = out.len();
    out.put_u32(0);
    out.put_u8(letter);
    write(out);
    let length = out.len().saturating_sub(at).saturating_sub(LENGTH);
    let length = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    if let Some(field) = out.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<LENGTH>()) {
        *field = length;
    }
}

pub(crate) fn fuzz(data: &[u8]) {
    let mut whole = PacketReader::new();
    whole.feed(data);
    let mut single = PacketReader::new();
    for octet in data {
        single.feed(std::slice::from_ref(octet));
    }
    loop {
        let packet = whole.next_packet();
        assert_eq!(packet, single.next_packet(), "packets are the same however they are cut");
        if !matches!(packet, Ok(Some(_))) {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_come_out_whole_however_they_came_in() {
        let mut out = BytesMut::new();
        put(&mut out, b'c', |_| {});
        put(&mut out, b'q', |out| out.put_slice(b"why\0"));
        assert_eq!(&out[..], b"\0\0\0\x01c\0\0\0\x05qwhy\0");
        fuzz(&out);
        let mut reader = PacketReader::new();
        reader.feed(&out[..7]);
        assert_eq!(reader.next_packet(), Ok(Some((b'c', Bytes::new()))));
        assert_eq!(reader.next_packet(), Ok(None));
        reader.feed(&out[7..]);
        assert_eq!(reader.next_packet(), Ok(Some((b'q', Bytes::from_static(b"why\0")))));
        assert!(reader.is_empty());
    }

    #[test]
    fn a_length_beyond_the_bound_is_refused_before_it_is_read() {
        let mut reader = PacketReader::new();
        reader.feed(&[0xff; 4]);
        assert!(matches!(reader.next_packet(), Err(MilterError::PacketTooLong { .. })));
        let mut reader = PacketReader::new();
        reader.feed(&[0; 4]);
        assert_eq!(reader.next_packet(), Err(MilterError::EmptyPacket));
    }
}
