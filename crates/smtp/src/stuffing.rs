//! The DATA stream of the client side: putting in the dots.

use bytes::{BufMut, BytesMut};

/// Encodes a message for DATA (RFC 5321 section 4.5.2), piece by piece.
///
/// Lines go out as they are; a bare LF or CR in the message counts as a line's
/// end for stuffing, so that no receiver, however lenient, sees an end of
/// message in it.
#[derive(Debug, Clone)]
pub struct DotStuffer {
    line_start: bool,
    last_two: [u8; 2],
}

impl Default for DotStuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl DotStuffer {
    /// At the beginning of a message.
    pub const fn new() -> Self {
        Self { line_start: true, last_two: *b"\r\n" }
    }

    /// Appends the encoded piece to `out`.
    pub fn write(&mut self, piece: &[u8], out: &mut BytesMut) {
        let mut rest = piece;
        out.reserve(piece.len().saturating_add(2));
        while !rest.is_empty() {
            if self.line_start && rest.first() == Some(&b'.') {
                out.put_u8(b'.');
            }
            let run = match memchr::memchr2(b'\n', b'\r', rest) {
                Some(at) => at.saturating_add(1),
                None => rest.len(),
            };
            let (line, after) = rest.split_at_checked(run).unwrap_or((rest, &[]));
            out.put_slice(line);
            self.line_start = matches!(line.last(), Some(b'\n' | b'\r'));
            rest = after;
        }
        match piece {
            [.., a, b] => self.last_two = [*a, *b],
            [b] => self.last_two = [self.last_two[1], *b],
            [] => {}
        }
    }

    /// Appends the end of the message; a CRLF first if its last line has none.
    pub fn finish(&mut self, out: &mut BytesMut) {
        out.put_slice(if self.last_two == *b"\r\n" { b".\r\n" } else { b"\r\n.\r\n" });
        *self = Self::new();
    }
}

#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    let mut out = BytesMut::new();
    let mut stuffer = DotStuffer::new();
    for piece in data.chunks(5) {
        stuffer.write(piece, &mut out);
    }
    stuffer.finish(&mut out);
    let ends = memchr::memmem::find_iter(&out, b"\r\n.\r\n").count();
    assert!(ends == 1 || (ends == 0 && out.starts_with(b".\r\n") && out.len() == 3));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BareNewlines, DataDecoder};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_message_of_whole_lines_comes_back(
            lines in proptest::collection::vec("[.a ]{0,5}", 0..20), cut in 1usize..9,
        ) {
            let message: String = lines.iter().map(|l| format!("{l}\r\n")).collect();
            let mut wire = BytesMut::new();
            let mut stuffer = DotStuffer::new();
            for piece in message.as_bytes().chunks(cut) {
                stuffer.write(piece, &mut wire);
            }
            stuffer.finish(&mut wire);
            let mut out = BytesMut::new();
            let mut decoder = DataDecoder::new(BareNewlines::Refuse, 1000);
            let fed = decoder.feed(&wire, &mut out);
            prop_assert!(fed.ended && fed.used == wire.len());
            prop_assert_eq!(&out[..], message.as_bytes());
            prop_assert_eq!(decoder.fault(), None);
        }

        #[test]
        fn whatever_is_sent_has_one_end(
            data in proptest::collection::vec(
                prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), Just(b'a')], 0..60),
        ) {
            fuzz(&data);
        }
    }
}
