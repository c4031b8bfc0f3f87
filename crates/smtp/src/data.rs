//! The message on the server side: taking out DATA's dots, finding its end,
//! looking at its line ends.

use crate::reply::Reply;
use bytes::{BufMut, BytesMut};

/// What becomes of a message with LF or CR that are not CRLF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BareNewlines {
    /// The whole message is read to its end and refused.
    #[default]
    Refuse,
    /// Each one becomes CRLF. It still never ends the message, nor does a dot
    /// after it stand at the beginning of a line.
    Normalise,
    /// It goes through as it is; between our own services, where the first one
    /// has looked.
    Pass,
}

/// Why a message that was read to its end is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DataFault {
    /// A LF without CR before it.
    #[error("the message has a bare LF")]
    BareLf,
    /// A CR without LF after it.
    #[error("the message has a bare CR")]
    BareCr,
    /// A line longer than the limit.
    #[error("the message has a line that is too long")]
    LongLine,
}

impl DataFault {
    /// The answer to the message.
    pub fn reply(self) -> Reply {
        match self {
            Self::BareLf => Reply::new(550, (5, 6, 0), "bare LF in message; lines end in CRLF"),
            Self::BareCr => Reply::new(550, (5, 6, 0), "bare CR in message; lines end in CRLF"),
            Self::LongLine => Reply::new(550, (5, 6, 0), "line too long in message"),
        }
    }
}

/// What [`DataDecoder::feed`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fed {
    /// Octets of the input that are done with; all of it unless `ended`.
    pub used: usize,
    /// The final dot was read. What follows it in the input are commands.
    pub ended: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// After CRLF, or at the beginning of the message.
    LineStart,
    /// After a dot at the beginning of a line.
    Dot,
    /// After dot and CR at the beginning of a line.
    DotCr,
    /// Within a line.
    Text,
    /// After a CR within a line.
    Cr,
}

/// Decodes a DATA stream (RFC 5321 section 4.5.2) that comes in pieces of any
/// size. Only `<CRLF>.<CRLF>` ends it, or `.<CRLF>` right at its beginning.
#[derive(Debug, Clone)]
pub struct DataDecoder {
    at: At,
    bare: BareNewlines,
    max_line: usize,
    line: usize,
    fault: Option<DataFault>,
    dots: bool,
}

impl DataDecoder {
    /// A decoder at the beginning of a message; lines longer than `max_line`
    /// octets without CRLF are a fault.
    pub const fn new(bare: BareNewlines, max_line: usize) -> Self {
        Self { at: At::LineStart, bare, max_line, line: 0, fault: None, dots: true }
    }

    /// The same for BDAT (RFC 3030), whose chunks have neither dots nor an end
    /// in them: it only looks at lines.
    pub const fn for_chunks(bare: BareNewlines, max_line: usize) -> Self {
        Self { at: At::Text, bare, max_line, line: 0, fault: None, dots: false }
    }

    /// After the last chunk: a CR that nothing follows is bare.
    pub fn finish_chunks(&mut self, out: &mut BytesMut) {
        if self.at == At::Cr {
            self.bare_newline(DataFault::BareCr, b'\r', out);
        }
    }

    /// The first fault that was found; the message is to be refused for it once
    /// its end is read.
    pub const fn fault(&self) -> Option<DataFault> {
        self.fault
    }

    /// Decodes `input` up to its end or the message's, appending to `out` at
    /// most twice as many octets and one.
    pub fn feed(&mut self, input: &[u8], out: &mut BytesMut) -> Fed {
        out.reserve(input.len());
        let mut used = 0;
        while let Some(rest) = input.get(used..).filter(|rest| !rest.is_empty()) {
            if self.at == At::Text {
                let run = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
                out.put_slice(rest.get(..run).unwrap_or_default());
                self.count(run);
                used = used.saturating_add(run);
                if run == rest.len() {
                    break;
                }
            }
            let Some(octet) = input.get(used).copied() else { break };
            used = used.saturating_add(1);
            if self.step(octet, out) {
                return Fed { used, ended: true };
            }
        }
        Fed { used, ended: false }
    }

    /// One octet; whether it ended the message.
    fn step(&mut self, octet: u8, out: &mut BytesMut) -> bool {
        match (self.at, octet) {
            (At::DotCr, b'\n') => return true,
            (At::LineStart, b'.') => self.at = At::Dot,
            (At::Dot, b'\r') => self.at = At::DotCr,
            (At::Cr, b'\n') => {
                out.put_slice(b"\r\n");
                self.line = 0;
                self.at = if self.dots { At::LineStart } else { At::Text };
            }
            (At::Cr | At::DotCr, _) => {
                self.bare_newline(DataFault::BareCr, b'\r', out);
                self.at = At::Text;
                return self.step(octet, out);
            }
            (At::LineStart | At::Text, b'\r') => self.at = At::Cr,
            (At::LineStart | At::Dot | At::Text, b'\n') => {
                self.bare_newline(DataFault::BareLf, b'\n', out);
                self.at = At::Text;
            }
            (At::LineStart | At::Dot | At::Text, _) => {
                out.put_u8(octet);
                self.count(1);
                self.at = At::Text;
            }
        }
        false
    }

    fn bare_newline(&mut self, fault: DataFault, octet: u8, out: &mut BytesMut) {
        self.line = 0;
        match self.bare {
            BareNewlines::Normalise => out.put_slice(b"\r\n"),
            BareNewlines::Pass => out.put_u8(octet),
            BareNewlines::Refuse => {
                self.fault.get_or_insert(fault);
            }
        }
    }

    fn count(&mut self, octets: usize) {
        self.line = self.line.saturating_add(octets);
        if self.line > self.max_line {
            self.fault.get_or_insert(DataFault::LongLine);
        }
    }
}

#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    for bare in [BareNewlines::Refuse, BareNewlines::Normalise, BareNewlines::Pass] {
        let mut whole = BytesMut::new();
        let mut decoder = DataDecoder::new(bare, 64);
        let fed = decoder.feed(data, &mut whole);
        let mut pieces = BytesMut::new();
        let mut again = DataDecoder::new(bare, 64);
        let mut used = 0;
        for piece in data.chunks(3) {
            let part = again.feed(piece, &mut pieces);
            used += part.used;
            if part.ended {
                break;
            }
        }
        assert_eq!((fed.used, &whole, decoder.fault()), (used, &pieces, again.fault()));
        assert_eq!(fed.ended, data.starts_with(b".\r\n") || holds(data, b"\r\n.\r\n"));
        if decoder.fault().is_none() && fed.ended && bare != BareNewlines::Pass {
            assert!(whole.iter().enumerate().all(|(i, c)| {
                (*c != b'\n' || (i > 0 && whole.get(i - 1) == Some(&b'\r')))
                    && (*c != b'\r' || whole.get(i + 1) == Some(&b'\n'))
            }));
        }
    }
}

fn holds(data: &[u8], what: &[u8]) -> bool {
    memchr::memmem::find(data, what).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(input: &[u8], bare: BareNewlines) -> (Vec<u8>, Option<DataFault>, Fed) {
        let mut out = BytesMut::new();
        let mut decoder = DataDecoder::new(bare, 1000);
        let fed = decoder.feed(input, &mut out);
        (out.to_vec(), decoder.fault(), fed)
    }

    #[test]
    fn dots_are_taken_out_and_the_end_is_found() {
        for (input, output) in [
            (&b".\r\n"[..], &b""[..]),
            (b"a\r\n.\r\n", b"a\r\n"),
            (b"..\r\n.\r\n", b".\r\n"),
            (b"...a\r\n.b\r\n.\r\n", b"..a\r\nb\r\n"),
            (b"\r\n\r\n.\r\n", b"\r\n\r\n"),
            (b"a.\r\n.\r\n", b"a.\r\n"),
        ] {
            let (out, fault, fed) = decode(input, BareNewlines::Refuse);
            assert_eq!((&out[..], fault), (output, None), "{}", input.escape_ascii());
            assert_eq!(fed, Fed { used: input.len(), ended: true });
        }
    }

    #[test]
    fn no_other_line_end_ends_the_message() {
        for form in [
            "\n.\r\n",
            "\r\n.\n",
            "\n.\n",
            "\r.\r\n",
            "\r\n.\r",
            "\r.\r",
            "\r.\n",
            "\n.\r",
            "\r\n\0.\r\n",
            "\r\n.\0\r\n",
            "\r\n.\r\r\n",
            "\r\r\n.\r\r\n",
            "\r\n.\r.\r\n",
            "\u{85}.\r\n",
            "\u{2028}.\r\n",
        ] {
            let input = format!("a{form}MAIL FROM:<x@y>\r\n");
            for bare in [BareNewlines::Refuse, BareNewlines::Normalise] {
                let (out, _, fed) = decode(input.as_bytes(), bare);
                assert!(!fed.ended, "{}", form.escape_debug());
                // Dots come out as content, so they are stuffed when sent on.
                let mut sent = BytesMut::new();
                let mut stuffer = crate::DotStuffer::new();
                stuffer.write(&out, &mut sent);
                stuffer.finish(&mut sent);
                assert_eq!(memchr::memmem::find_iter(&sent, b"\r\n.\r\n").count(), 1);
            }
        }
    }

    #[test]
    fn faults_are_named_and_do_not_stop_the_reading() {
        for (input, fault) in [
            ("a\nb\r\n.\r\n", DataFault::BareLf),
            ("a\rb\r\n.\r\n", DataFault::BareCr),
            ("a\r\n.\rb\r\n.\r\n", DataFault::BareCr),
        ] {
            let (_, found, fed) = decode(input.as_bytes(), BareNewlines::Refuse);
            assert_eq!((found, fed.ended), (Some(fault), true), "{input:?}");
            assert_eq!(decode(input.as_bytes(), BareNewlines::Normalise).1, None);
        }
        let long = format!("{}\r\n{}\r\n.\r\n", "x".repeat(1000), "y".repeat(1001));
        assert_eq!(decode(long.as_bytes(), BareNewlines::Refuse).1, Some(DataFault::LongLine));
        let fits = format!("{}\r\n.\r\n", "x".repeat(1000));
        assert_eq!(decode(fits.as_bytes(), BareNewlines::Refuse).1, None);
    }

    #[test]
    fn chunks_have_no_dots_and_no_end() {
        let mut out = BytesMut::new();
        let mut decoder = DataDecoder::for_chunks(BareNewlines::Refuse, 100);
        assert_eq!(decoder.feed(b".a\r\n..\r\n.\r\n", &mut out), Fed { used: 11, ended: false });
        decoder.finish_chunks(&mut out);
        assert_eq!((&out[..], decoder.fault()), (&b".a\r\n..\r\n.\r\n"[..], None));
        decoder.feed(b"x\r", &mut out);
        decoder.finish_chunks(&mut out);
        assert_eq!(decoder.fault(), Some(DataFault::BareCr));
    }

    proptest! {
        #[test]
        fn seams_do_not_matter(
            input in proptest::collection::vec(
                prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), Just(b'a'), any::<u8>()], 0..120),
            cuts in proptest::collection::vec(1usize..9, 0..120),
            normalise: bool,
        ) {
            let bare = if normalise { BareNewlines::Normalise } else { BareNewlines::Refuse };
            let mut whole = BytesMut::new();
            let mut decoder = DataDecoder::new(bare, 50);
            let fed = decoder.feed(&input, &mut whole);
            let mut out = BytesMut::new();
            let mut again = DataDecoder::new(bare, 50);
            let (mut used, mut ended) = (0, false);
            let mut cuts = cuts.into_iter().chain(std::iter::repeat(7));
            while used < input.len() && !ended {
                let end = input.len().min(used + cuts.next().unwrap());
                let part = again.feed(&input[used..end], &mut out);
                used += part.used;
                ended = part.ended;
            }
            prop_assert_eq!(fed, Fed { used, ended });
            prop_assert_eq!(whole, out);
            prop_assert_eq!(decoder.fault(), again.fault());
            fuzz(&input);
        }
    }
}
