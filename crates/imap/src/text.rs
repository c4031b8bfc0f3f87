//! From octets of messages to text that SEARCH can compare: lower case, and
//! free of transfer encodings, charsets and encoded words.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::parsers::MessageStream;
use std::borrow::Cow;

/// Mail in the wild has base64 without padding and with stray bits.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A raw header value as text: unfolded, encoded words decoded (RFC 2047).
pub(crate) fn header(raw: &[u8]) -> String {
    if memchr::memmem::find(raw, b"=?").is_some() {
        let mut line: Vec<u8> = Vec::with_capacity(raw.len() + 2);
        // the parser ends at a line end that no space follows
        line.extend(raw.iter().copied().filter(|c| !matches!(c, b'\r' | b'\n')));
        line.extend_from_slice(b"\r\n");
        if let Some(text) = MessageStream::new(&line).parse_unstructured().as_text() {
            return text.to_owned();
        }
    }
    let line: Cow<'_, [u8]> = if memchr::memchr2(b'\r', b'\n', raw).is_some() {
        raw.iter().copied().filter(|c| !matches!(c, b'\r' | b'\n')).collect()
    } else {
        Cow::Borrowed(raw)
    };
    String::from_utf8_lossy(line.trim_ascii()).into_owned()
}

/// Lower case for comparing: ASCII fast, the rest as Unicode has it.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.to_lowercase() }
}

/// Removes a Content-Transfer-Encoding. Damaged input gives what can be had.
pub(crate) fn transfer_decode<'a>(encoding: &[u8], body: &'a [u8]) -> Cow<'a, [u8]> {
    if encoding.eq_ignore_ascii_case(b"base64") {
        let clean: Vec<u8> = body
            .iter()
            .copied()
            .take_while(|c| *c != b'=')
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/'))
            .collect();
        // a lone last character carries no octet
        let whole = if clean.len() % 4 == 1 { clean.len() - 1 } else { clean.len() };
        Cow::Owned(LENIENT.decode(clean.get(..whole).unwrap_or_default()).unwrap_or_default())
    } else if encoding.eq_ignore_ascii_case(b"quoted-printable") {
        Cow::Owned(quoted_printable(body))
    } else {
        Cow::Borrowed(body)
    }
}

/// RFC 2045 section 6.7. mail-parser's decoder gives up at the first mistake;
/// a search should still find the rest.
fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = memchr::memchr(b'=', rest) {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(before);
        let after = from.get(1..).unwrap_or_default();
        rest = if let Some(after) = after.strip_prefix(b"\r\n") {
            after
        } else if let Some(after) = after.strip_prefix(b"\n") {
            after
        } else if let Some(octet) = hex_octet(after) {
            out.push(octet);
            after.get(2..).unwrap_or_default()
        } else {
            out.push(b'=');
            after
        };
    }
    out.extend_from_slice(rest);
    out
}

fn hex_octet(text: &[u8]) -> Option<u8> {
    let digit = |i: usize| text.get(i).and_then(|c| char::from(*c).to_digit(16));
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

/// Text of a charset. Unknown charsets are taken for UTF-8, as mail that names
/// none or a wrong one mostly is.
pub(crate) fn charset_decode<'a>(charset: &[u8], octets: Cow<'a, [u8]>) -> Cow<'a, str> {
    let utf8 = charset.is_empty()
        || charset.eq_ignore_ascii_case(b"utf-8")
        || charset.eq_ignore_ascii_case(b"us-ascii");
    if !utf8 && let Some(decode) = charset_decoder(charset) {
        return Cow::Owned(decode(&octets));
    }
    match octets {
        Cow::Borrowed(octets) => String::from_utf8_lossy(octets),
        Cow::Owned(octets) => match String::from_utf8(octets) {
            Ok(text) => Cow::Owned(text),
            Err(e) => Cow::Owned(String::from_utf8_lossy(e.as_bytes()).into_owned()),
        },
    }
}

/// Whether SEARCH may name this charset.
pub(crate) fn is_charset(name: &str) -> bool {
    name.eq_ignore_ascii_case("utf-8")
        || name.eq_ignore_ascii_case("us-ascii")
        || charset_decoder(name.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_decoded() {
        for (raw, text) in [
            (" plain", "plain"),
            (" a\r\n b", "a b"),
            (" =?utf-8?Q?gr=C3=BCn?= und =?iso-8859-1?B?cm90?=", "grün und rot"),
            (" =?utf-8?Q?a?=\r\n =?utf-8?Q?b?=", "ab"),
            (" =?broken", "=?broken"),
        ] {
            assert_eq!(header(raw.as_bytes()), text, "{raw}");
        }
    }

    #[test]
    fn bodies_are_decoded() {
        assert_eq!(&*transfer_decode(b"Base64", b"aGFs\r\nbG8"), b"hallo");
        assert_eq!(&*transfer_decode(b"base64", b"aGFsbG8=x"), b"hallo");
        assert_eq!(&*transfer_decode(b"quoted-printable", b"a=3Db=\r\nc=ZZ="), b"a=bc=ZZ=");
        assert_eq!(&*transfer_decode(b"8bit", b"x"), b"x");
        assert_eq!(charset_decode(b"iso-8859-1", Cow::Borrowed(b"\xfc")), "ü");
        assert_eq!(charset_decode(b"x-none", Cow::Borrowed("ü".as_bytes())), "ü");
    }
}
