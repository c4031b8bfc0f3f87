//! What of the original message goes back.

use super::Original;
use mail_builder::encoders::QuotedPrintableEncoder;
use memchr::{memchr_iter, memmem};

/// RFC 5322 section 2.1.1: octets of a line, without its end.
pub(super) const MAX_LINE: usize = 998;
/// Octets of a message that goes back whole: a report must get through where
/// the message did, and mailboxes are not for storing mail twice.
const MAX_RETURNED_MESSAGE: usize = 1 << 20;
/// Octets of a header that goes back; enough for any that people can read.
const MAX_RETURNED_HEADER: usize = 64 * 1024;

/// The third part of a report, ready to be written.
pub(super) struct Returned {
    pub content_type: &'static str,
    pub encoding: &'static str,
    pub octets: Vec<u8>,
    /// Only the header goes although the message was to.
    pub shortened: bool,
}

/// Makes the third part; `utf8` as for the whole report.
pub(super) fn returned(original: &Original, smtputf8: bool) -> Option<Returned> {
    match original {
        Original::None => None,
        Original::Message(message) if carried_whole(message) => Some(whole(message, smtputf8)),
        Original::Message(message) => {
            Some(Returned { shortened: true, ..header(message, smtputf8) })
        }
        Original::Header(header_octets) => Some(header(header_octets, smtputf8)),
    }
}

/// RFC 2046 section 5.2.1 allows no encoding around a message, so its lines
/// must fit as they are.
fn carried_whole(message: &[u8]) -> bool {
    message.len() <= MAX_RETURNED_MESSAGE && lines_fit(message) && !message.is_empty()
}

/// CRLF lines of at most [`MAX_LINE`] octets without NUL, bare CR or bare LF.
fn lines_fit(octets: &[u8]) -> bool {
    let ends = memchr_iter(b'\n', octets).count();
    if memmem::find_iter(octets, b"\r\n").count() != ends
        || memchr_iter(b'\r', octets).count() != ends
        || memchr::memchr(0, octets).is_some()
    {
        return false;
    }
    octets.split(|c| *c == b'\n').all(|line| line.len() <= MAX_LINE + 1)
}

fn whole(message: &[u8], smtputf8: bool) -> Returned {
    let ascii = message.is_ascii();
    let global = smtputf8 && !header_of(message).is_ascii();
    Returned {
        content_type: if global { "message/global" } else { "message/rfc822" },
        encoding: if ascii { "7bit" } else { "8bit" },
        octets: message.to_vec(),
        shortened: false,
    }
}

fn header(message: &[u8], smtputf8: bool) -> Returned {
    let header = header_of(message);
    let fits = lines_fit(header);
    if header.is_ascii() && fits {
        return Returned {
            content_type: "text/rfc822-headers",
            encoding: "7bit",
            octets: header.to_vec(),
            shortened: false,
        };
    }
    if smtputf8 && fits && std::str::from_utf8(header).is_ok() {
        return Returned {
            content_type: "message/global-headers",
            encoding: "8bit",
            octets: header.to_vec(),
            shortened: false,
        };
    }
    Returned {
        content_type: "text/rfc822-headers",
        encoding: "quoted-printable",
        octets: quoted_printable(header),
        shortened: false,
    }
}

/// As quoted-printable with CRLF line ends; a bare CR or LF within is encoded.
pub(super) fn quoted_printable(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len().saturating_mul(2));
    let encoder = QuotedPrintableEncoder::new();
    let mut start = 0;
    for end in memmem::find_iter(octets, b"\r\n").chain(std::iter::once(octets.len())) {
        if let Some(line) = octets.get(start..end) {
            encoder.encode_into(line, &mut out);
            if end < octets.len() {
                out.extend_from_slice(b"\r\n");
            }
        }
        start = end.saturating_add(2);
    }
    out
}

/// The header of a message, without its empty line, cut at a line's end.
fn header_of(message: &[u8]) -> &[u8] {
    let end = if message.starts_with(b"\r\n") {
        0
    } else {
        memmem::find(message, b"\r\n\r\n").map_or(message.len(), |at| at + 2)
    };
    let end = end.min(message.len());
    let header = message.get(..end).unwrap_or(message);
    if header.len() <= MAX_RETURNED_HEADER {
        return header;
    }
    let cut = header.get(..MAX_RETURNED_HEADER).unwrap_or(header);
    let last = memmem::rfind(cut, b"\r\n").map_or(cut.len(), |at| at + 2);
    cut.get(..last).unwrap_or(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_carried_whole_goes_as_its_header() {
        let long = format!("Subject: x\r\n\r\n{}\r\n", "y".repeat(MAX_LINE + 1)).into_bytes();
        for message in [
            long,
            b"Subject: x\r\n\r\nbare\nline\r\n".to_vec(),
            b"Subject: x\r\n\r\nNUL \0\r\n".to_vec(),
            [b"Subject: x\r\n\r\n".to_vec(), b"line\r\n".repeat(200_000)].concat(),
        ] {
            let part = returned(&Original::Message(message), false).unwrap();
            assert!(part.shortened);
            assert_eq!((part.content_type, part.encoding), ("text/rfc822-headers", "7bit"));
            assert_eq!(part.octets, b"Subject: x\r\n");
        }
    }

    #[test]
    fn headers_beyond_ascii_are_encoded_unless_the_reader_can_take_them() {
        let message = Original::Header("Subject: ü\r\n\r\nbody".as_bytes().to_vec());
        let plain = returned(&message, false).unwrap();
        assert_eq!(plain.encoding, "quoted-printable");
        assert_eq!(plain.octets, b"Subject: =C3=BC\r\n");
        let global = returned(&message, true).unwrap();
        assert_eq!(global.content_type, "message/global-headers");
    }

    #[test]
    fn a_long_header_is_cut_at_a_line() {
        let message = b"X-Line: 0123456789\r\n".repeat(10_000);
        let part = returned(&Original::Header(message), false).unwrap();
        assert!(part.octets.len() <= MAX_RETURNED_HEADER);
        assert_eq!(part.octets.len() % 20, 0);
    }
}
