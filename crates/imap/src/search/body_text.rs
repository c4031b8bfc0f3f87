//! SEARCH TEXT and BODY: the words of a message, decoded.

use super::key::Needle;
use crate::mime::{self, Content, Part};
use crate::text;
use std::borrow::Cow;

/// Whether the message has the needle in its text parts (with the headers of
/// messages within it), and with `headers` also in its own header.
/// `scratch` spares an allocation for each message.
pub(crate) fn contains(data: &[u8], needle: &Needle, headers: bool, scratch: &mut Vec<u8>) -> bool {
    let part = mime::parse(data);
    if headers && header_has(data.get(part.header.clone()).unwrap_or_default(), needle, scratch) {
        return true;
    }
    part_has(data, &part, needle, scratch)
}

/// All fields, names too, each on one line.
fn header_has(header: &[u8], needle: &Needle, scratch: &mut Vec<u8>) -> bool {
    scratch.clear();
    for field in mime::fields(header) {
        scratch.extend_from_slice(field.name);
        scratch.extend_from_slice(b": ");
        let plain = field.value.is_ascii() && memchr::memmem::find(field.value, b"=?").is_none();
        if plain {
            let value = field.value.trim_ascii();
            scratch.extend(value.iter().copied().filter(|c| !matches!(c, b'\r' | b'\n')));
        } else {
            scratch.extend_from_slice(text::fold(&text::header(field.value)).as_bytes());
        }
        scratch.push(b'\n');
    }
    scratch.make_ascii_lowercase();
    needle.is_in(scratch)
}

/// Recursion is as deep as the tree, which is bounded.
fn part_has(data: &[u8], part: &Part, needle: &Needle, scratch: &mut Vec<u8>) -> bool {
    match &part.content {
        Content::Multipart(children) => {
            children.iter().any(|child| part_has(data, child, needle, scratch))
        }
        Content::Message(inner) => {
            header_has(data.get(inner.header.clone()).unwrap_or_default(), needle, scratch)
                || part_has(data, inner, needle, scratch)
        }
        Content::Leaf if part.content_type.is("text", "*") => text_has(data, part, needle, scratch),
        Content::Leaf => false,
    }
}

fn text_has(data: &[u8], part: &Part, needle: &Needle, scratch: &mut Vec<u8>) -> bool {
    let header = data.get(part.header.clone()).unwrap_or_default();
    let body = data.get(part.body.clone()).unwrap_or_default();
    let decoded = text::transfer_decode(&mime::transfer_encoding(header), body);
    let charset = part.content_type.param("charset").unwrap_or_default();
    let as_is = charset.is_empty()
        || charset.eq_ignore_ascii_case(b"utf-8")
        || charset.eq_ignore_ascii_case(b"us-ascii")
        // every ISO 8859 has ASCII where ASCII is
        || needle.ascii && charset.get(..8).is_some_and(|c| c.eq_ignore_ascii_case(b"iso-8859"));
    if as_is && (needle.ascii || decoded.is_ascii()) {
        scratch.clear();
        scratch.extend_from_slice(&decoded);
        scratch.make_ascii_lowercase();
        return needle.is_in(scratch);
    }
    let text: Cow<'_, str> = text::charset_decode(charset, decoded);
    needle.is_in(text::fold(&text).as_bytes())
}
