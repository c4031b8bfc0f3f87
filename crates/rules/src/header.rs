//! A header in its fields.

use mail_parser::parsers::MessageStream;
use mail_parser::{Address, HeaderValue};
use memchr::memmem;
use std::borrow::Cow;
use std::ops::Range;

/// A header, taken apart line by line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Header {
    octets: Vec<u8>,
    fields: Vec<(Range<usize>, Range<usize>)>,
    /// A line of it is neither a field nor part of one.
    pub damaged: bool,
}

impl Header {
    /// Takes a header apart; lines end in CRLF or LF.
    pub fn new(octets: Vec<u8>) -> Self {
        let mut header = Self { octets, ..Self::default() };
        let mut start = 0;
        let mut open = false;
        for line in header.octets.split_inclusive(|c| *c == b'\n') {
            let end = start + line.len();
            if matches!(line, b"\r\n" | b"\n") {
                // The header's end.
            } else if matches!(line.first(), Some(b' ' | b'\t')) {
                match header.fields.last_mut() {
                    Some((_, value)) if open => value.end = end,
                    _ => header.damaged = true,
                }
            } else if let Some(colon) = memchr::memchr(b':', line).filter(|at| is_name(line, *at)) {
                header.fields.push((start..start + colon, start + colon + 1..end));
                open = true;
            } else {
                header.damaged = true;
                open = false;
            }
            start = end;
        }
        header
    }

    /// The values of every field of a name, with their folding.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.fields
            .iter()
            .filter(move |(field, _)| {
                let field = self.octets.get(field.clone()).unwrap_or_default();
                field.trim_ascii_end().eq_ignore_ascii_case(name.as_bytes())
            })
            .map(|(_, value)| self.octets.get(value.clone()).unwrap_or_default())
    }

    /// The first word of a field, without comments, in lower case.
    pub fn keyword(&self, name: &str) -> Option<String> {
        let value = self.values(name).next()?;
        let word = value.split(|c| matches!(c, b';' | b'(')).next().unwrap_or_default();
        let word = String::from_utf8_lossy(word).split_whitespace().collect::<Vec<_>>().join(" ");
        Some(word.to_lowercase())
    }

    /// A field of the form of `Content-Type`; the first one counts.
    pub fn content(&self, name: &str) -> Option<Content> {
        let value = ended(self.values(name).next()?);
        let HeaderValue::ContentType(content) = MessageStream::new(&value).parse_content_type()
        else {
            return None;
        };
        let named = |name| content.attribute(name).is_some_and(|text| !text.is_empty());
        Some(Content {
            kind: content.ctype().to_ascii_lowercase(),
            subtype: content.subtype().unwrap_or_default().to_ascii_lowercase(),
            boundary: content.attribute("boundary").map(|text| text.as_bytes().to_vec()),
            has_name: named("filename") || named("name"),
        })
    }
}

/// What `Content-Type` and `Content-Disposition` say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    /// `text`, or a disposition; in lower case, as the next one.
    pub kind: String,
    pub subtype: String,
    pub boundary: Option<Vec<u8>>,
    /// A file's name is given.
    pub has_name: bool,
}

/// Blanks before the colon are obsolete but legal (RFC 5322 section 4.5).
fn is_name(line: &[u8], colon: usize) -> bool {
    let name = line.get(..colon).unwrap_or_default().trim_ascii_end();
    !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}

/// The parser wants a line's end.
fn ended(value: &[u8]) -> Vec<u8> {
    let mut ended = value.trim_ascii().to_vec();
    ended.push(b'\n');
    ended
}

/// A value as a person reads it, decoded (RFC 2047), in lower case, blanks and
/// folding as one blank.
pub(crate) fn text(value: &[u8]) -> String {
    let ended = ended(value);
    let decoded = match memmem::find(value, b"=?") {
        Some(_) => MessageStream::new(&ended).parse_unstructured().into_text(),
        None => Some(String::from_utf8_lossy(value)),
    };
    let decoded = decoded.unwrap_or_default().to_lowercase();
    decoded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The addresses of a value as they are written; `None` stands for one that has
/// none, such as a name alone.
pub(crate) fn written(value: &[u8]) -> Vec<Option<String>> {
    let value = ended(value);
    let parsed = MessageStream::new(&value).parse_address();
    let HeaderValue::Address(addresses) = parsed else { return Vec::new() };
    let own = |address: Option<Cow<'_, str>>| address.map(Cow::into_owned);
    match addresses {
        Address::List(list) => list.into_iter().map(|a| own(a.address)).collect(),
        Address::Group(groups) => {
            groups.into_iter().flat_map(|g| g.addresses).map(|a| own(a.address)).collect()
        }
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    /// What the parser cannot make an address of comes back as none, or as a text
    /// that is no address: nothing is lost unseen.
    #[test]
    fn no_entry_of_a_list_is_lost_unseen() {
        for (value, expected) in [
            ("c@d.test, \"a b\"@x.test", vec![Some("c@d.test"), Some("@x.test")]),
            ("<\"a b\"@x.test>", vec![Some("\"a b\"@x.test")]),
            ("Doe, Jane <j@x.test>", vec![None, Some("j@x.test")]),
            ("\"unclosed <a@b.test>, c@d.test", vec![None]),
            ("(unclosed a@b.test", vec![None]),
            ("a@b.test c@d.test", vec![Some("a@b.test c@d.test")]),
            ("S: a@b.test;,\r\n c@d.test (Me, Myself)", vec![Some("a@b.test"), Some("c@d.test")]),
            ("<@r.test:a@b.test>", vec![Some("@r.test:a@b.test")]),
            ("undisclosed-recipients:;", vec![]),
        ] {
            let found = written(value.as_bytes());
            let found: Vec<Option<&str>> = found.iter().map(Option::as_deref).collect();
            assert_eq!(found, expected, "{value}");
        }
    }
}
