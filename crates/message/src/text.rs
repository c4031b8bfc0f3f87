//! Text from headers and peers, made safe to show and to write.

use mail_parser::parsers::MessageStream;
use memchr::memmem;

/// An unstructured field's value as a person reads it: unfolded, decoded
/// (RFC 2047), control characters dropped, at most `chars` characters.
pub(crate) fn unstructured(value: &[u8], chars: usize) -> String {
    if memmem::find(value, b"=?").is_none() {
        return clean(&String::from_utf8_lossy(value), chars);
    }
    let mut folded = Vec::with_capacity(value.len() + 1);
    folded.extend_from_slice(value.trim_ascii());
    folded.push(b'\n');
    let decoded = MessageStream::new(&folded).parse_unstructured().into_text();
    clean(decoded.as_deref().unwrap_or_default(), chars)
}

/// One line without control characters and bidirectional overrides, runs of
/// white space as one space, trimmed, at most `chars` characters.
pub(crate) fn clean(text: &str, chars: usize) -> String {
    let mut out = String::with_capacity(text.len().min(chars.saturating_mul(2)));
    let mut left = chars;
    let mut space = false;
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() || is_override(c) {
            space = true;
            continue;
        }
        if std::mem::take(&mut space) && !out.is_empty() {
            if left < 2 {
                break;
            }
            out.push(' ');
            left -= 1;
        }
        if left == 0 {
            break;
        }
        out.push(c);
        left -= 1;
    }
    out
}

/// Characters that make a line read otherwise than it is written.
fn is_override(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// As [`clean`], with everything outside ASCII as `?`.
pub(crate) fn clean_ascii(text: &str, chars: usize) -> String {
    let cleaned = clean(text, chars);
    if cleaned.is_ascii() {
        return cleaned;
    }
    cleaned.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()
}

/// The identifier within the value of a Message-ID field: what stands in the
/// first pair of brackets, or the first word.
pub(crate) fn message_id(value: &[u8], octets: usize) -> String {
    let text = String::from_utf8_lossy(value);
    let inner = match text.split_once('<') {
        Some((_, rest)) => rest.split('>').next().unwrap_or(rest),
        None => text.split_whitespace().next().unwrap_or_default(),
    };
    let mut out = String::with_capacity(inner.len().min(octets));
    for c in inner.chars().filter(|c| !c.is_whitespace() && !c.is_control() && !is_override(*c)) {
        if out.len() + c.len_utf8() > octets {
            break;
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_made_one_and_harmless() {
        assert_eq!(clean("  a\r\nBcc: x\t\u{1b}[2J\u{202e}z ", 99), "a Bcc: x [2J z");
        assert_eq!(clean("abc def", 4), "abc");
        assert_eq!(clean("abc def", 5), "abc d");
        assert_eq!(clean_ascii("grün", 99), "gr?n");
    }
}
