//! Changes to a message, and making them.

use crate::limits::MAX_FIELDS;
use bytes::{Bytes, BytesMut};
use std::ops::Range;

/// A header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    name: String,
    value: Bytes,
}

impl Field {
    /// A field of this name and value, with a space behind the colon.
    ///
    /// Lines of the value are parted by LF or CRLF. Whatever the value, one
    /// field comes of it: a line that does not begin with a blank gets one,
    /// empty lines and NUL go. `None` if the name is none (RFC 5322 section
    /// 2.2: printable ASCII without colon).
    pub fn new(name: &str, value: &[u8]) -> Option<Self> {
        Self::with_space(name, value, b" ")
    }

    /// Likewise, but the value begins right behind the colon.
    pub fn verbatim(name: &str, value: &[u8]) -> Option<Self> {
        Self::with_space(name, value, b"")
    }

    fn with_space(name: &str, value: &[u8], space: &[u8]) -> Option<Self> {
        let fits = !name.is_empty() && name.bytes().all(|c| c.is_ascii_graphic() && c != b':');
        fits.then(|| Self { name: name.to_owned(), value: folded(space, value) })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All behind the colon, without the last line's end; lines are parted by
    /// CRLF.
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    fn write(&self, out: &mut BytesMut) {
        out.extend_from_slice(self.name.as_bytes());
        out.extend_from_slice(b":");
        out.extend_from_slice(&self.value);
        out.extend_from_slice(b"\r\n");
    }
}

fn folded(space: &[u8], value: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(value.len().saturating_add(8));
    out.extend_from_slice(space);
    let mut first = true;
    for line in value.split(|c| matches!(c, b'\n' | b'\r')) {
        let blank = line.iter().all(|c| matches!(c, b' ' | b'\t' | 0));
        if !first && blank {
            continue;
        }
        if !first {
            out.extend_from_slice(b"\r\n");
            if !matches!(line.first(), Some(b' ' | b'\t')) {
                out.extend_from_slice(b"\t");
            }
        }
        out.extend(line.iter().filter(|c| **c != 0));
        first = false;
    }
    out.freeze()
}

/// One change. Numbers count the header's fields from 0, as the change before
/// left them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Add a field behind the last.
    AddField(Field),
    /// Put a field before the one with this number; behind the last if there
    /// are not so many.
    InsertField {
        /// The number.
        at: usize,
        /// The field.
        field: Field,
    },
    /// Put a field in the place of another.
    ReplaceField {
        /// The number.
        at: usize,
        /// The field.
        field: Field,
    },
    /// Remove a field.
    RemoveField {
        /// The number.
        at: usize,
    },
    /// Another body.
    ReplaceBody(Bytes),
}

/// Where the fields of a header are.
#[derive(Debug)]
pub(crate) struct Header {
    /// Each with its line ends. Lines that are no field are part of the one
    /// before, or a field without name at the top.
    pub fields: Vec<Range<usize>>,
    /// Where the header ends: at the empty line, or the end of the message.
    pub end: usize,
    /// Where the body begins.
    pub body: usize,
    /// Whether there are more than [`MAX_FIELDS`]; those are part of the last.
    pub too_many: bool,
}

impl Header {
    pub fn find(message: &[u8]) -> Self {
        let mut header =
            Self { fields: Vec::new(), end: message.len(), body: message.len(), too_many: false };
        let mut at = 0;
        while let Some(rest) = message.get(at..).filter(|rest| !rest.is_empty()) {
            let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |lf| lf.saturating_add(1));
            let line = rest.get(..length).unwrap_or(rest);
            let next = at.saturating_add(length);
            if matches!(line, b"\r\n" | b"\n") {
                header.end = at;
                header.body = next;
                break;
            }
            let begins = name(line).is_some() && header.fields.len() < MAX_FIELDS;
            header.too_many |= name(line).is_some() && !begins;
            match header.fields.last_mut() {
                Some(last) if !begins => last.end = next,
                _ => header.fields.push(at..next),
            }
            at = next;
        }
        header
    }
}

/// The name of the field that begins with this line.
pub(crate) fn name(field: &[u8]) -> Option<&str> {
    let colon = memchr::memchr(b':', field)?;
    let mut name = field.get(..colon)?;
    while let Some(shorter) = name.strip_suffix(b" ").or_else(|| name.strip_suffix(b"\t")) {
        name = shorter;
    }
    let fits = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    if fits { std::str::from_utf8(name).ok() } else { None }
}

/// All behind the colon, without the last line's end.
pub(crate) fn value(field: &[u8]) -> &[u8] {
    let value = memchr::memchr(b':', field).and_then(|colon| field.get(colon.saturating_add(1)..));
    let value = value.unwrap_or_default();
    let value = value.strip_suffix(b"\n").unwrap_or(value);
    value.strip_suffix(b"\r").unwrap_or(value)
}

enum Piece<'a> {
    Old(Range<usize>),
    New(&'a Field),
}

/// The message with these changes made. Octets that no change touches stay
/// exactly as they were; without changes it is the same octets, not a copy.
pub fn apply_edits(message: &Bytes, edits: &[Edit]) -> Bytes {
    if edits.is_empty() {
        return message.clone();
    }
    let header = Header::find(message);
    let mut pieces: Vec<Piece<'_>> = header.fields.into_iter().map(Piece::Old).collect();
    let mut body = None;
    for edit in edits {
        match edit {
            Edit::AddField(field) => pieces.push(Piece::New(field)),
            Edit::InsertField { at, field } => {
                pieces.insert((*at).min(pieces.len()), Piece::New(field));
            }
            Edit::ReplaceField { at, field } => {
                if let Some(piece) = pieces.get_mut(*at) {
                    *piece = Piece::New(field);
                }
            }
            Edit::RemoveField { at } => {
                if *at < pieces.len() {
                    pieces.remove(*at);
                }
            }
            Edit::ReplaceBody(new) => body = Some(new),
        }
    }
    let mut out = BytesMut::with_capacity(message.len().saturating_add(1024));
    for piece in &pieces {
        // A message that ends within its header has no line end there.
        if !out.is_empty() && !out.ends_with(b"\n") {
            out.extend_from_slice(b"\r\n");
        }
        match piece {
            Piece::Old(range) => out.extend_from_slice(message.get(range.clone()).unwrap_or(b"")),
            Piece::New(field) => field.write(&mut out),
        }
    }
    match body {
        None => out.extend_from_slice(message.get(header.end..).unwrap_or(b"")),
        Some(new) => {
            if !out.is_empty() && !out.ends_with(b"\n") {
                out.extend_from_slice(b"\r\n");
            }
            let empty_line = message.get(header.end..header.body).unwrap_or(b"");
            out.extend_from_slice(if empty_line.is_empty() { b"\r\n" } else { empty_line });
            out.extend_from_slice(new);
        }
    }
    out.freeze()
}

/// Where the fields of this range are after the changes.
pub(crate) fn moved(mut fields: Range<usize>, edits: &[Edit]) -> Range<usize> {
    for edit in edits {
        match edit {
            Edit::InsertField { at, .. } if *at <= fields.start => {
                fields = fields.start.saturating_add(1)..fields.end.saturating_add(1);
            }
            Edit::InsertField { at, .. } if *at < fields.end => {
                fields.end = fields.end.saturating_add(1);
            }
            Edit::RemoveField { at } if *at < fields.start => {
                fields = fields.start.saturating_sub(1)..fields.end.saturating_sub(1);
            }
            Edit::RemoveField { at } if *at < fields.end => {
                fields.end = fields.end.saturating_sub(1);
            }
            Edit::AddField(_)
            | Edit::InsertField { .. }
            | Edit::ReplaceField { .. }
            | Edit::RemoveField { .. }
            | Edit::ReplaceBody(_) => {}
        }
    }
    fields
}

pub(crate) fn fuzz(data: &[u8]) {
    let message = Bytes::copy_from_slice(data);
    let header = Header::find(data);
    let mut at = 0;
    for field in &header.fields {
        assert_eq!(field.start, at, "fields lie one behind the other");
        at = field.end;
    }
    assert_eq!(at, header.end);
    if let Some(field) = Field::new("X", data) {
        let one = [Edit::InsertField { at: 0, field }];
        let more = apply_edits(&message, &one);
        let back = apply_edits(&more, &[Edit::RemoveField { at: 0 }]);
        if !header.too_many && (header.fields.is_empty() || name(data).is_some()) {
            assert_eq!(back, message, "a field that was put in is taken out again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn field(name: &str, value: &str) -> Field {
        Field::new(name, value.as_bytes()).unwrap()
    }

    #[test]
    fn changes_are_made_in_order_and_the_rest_stays() {
        let message = Bytes::from_static(b"A: 1\r\nB :2\r\n  more\r\nC: 3\n\r\nbody\n\r\n");
        let edits = [
            Edit::InsertField { at: 0, field: field("Top", "x") },
            Edit::ReplaceField { at: 1, field: field("A", "one\nline") },
            Edit::RemoveField { at: 3 },
            Edit::AddField(field("End", "y")),
        ];
        let out = apply_edits(&message, &edits);
        let expected = b"Top: x\r\nA: one\r\n\tline\r\nB :2\r\n  more\r\nEnd: y\r\n\r\nbody\n\r\n";
        assert_eq!(&out[..], &expected[..]);
        let out = apply_edits(&message, &[Edit::ReplaceBody("new\r\n".into())]);
        assert_eq!(&out[..], b"A: 1\r\nB :2\r\n  more\r\nC: 3\n\r\nnew\r\n");
        assert_eq!(apply_edits(&message, &[]).as_ptr(), message.as_ptr());
    }

    #[test]
    fn a_header_without_end_gets_one_where_it_needs_one() {
        let message = Bytes::from_static(b"A: 1");
        let out = apply_edits(&message, &[Edit::AddField(field("B", "2"))]);
        assert_eq!(&out[..], b"A: 1\r\nB: 2\r\n");
        let out = apply_edits(&message, &[Edit::ReplaceBody("x".into())]);
        assert_eq!(&out[..], b"A: 1\r\n\r\nx");
        let out = apply_edits(&Bytes::new(), &[Edit::AddField(field("B", "2"))]);
        assert_eq!(&out[..], b"B: 2\r\n");
    }

    #[test]
    fn no_value_makes_two_fields_or_ends_the_header() {
        let made = field("A", "x\r\n\r\nBcc: y\n\n z\0\n");
        assert_eq!(made.value(), b" x\r\n\tBcc: y\r\n z");
        for name in ["", "a b", "a:b", "a\n", "ä"] {
            assert_eq!(Field::new(name, b"x"), None);
        }
    }

    #[test]
    fn fields_are_found_again_after_changes() {
        let insert = |at| Edit::InsertField { at, field: field("New", "v") };
        let remove = |at| Edit::RemoveField { at };
        assert_eq!(moved(0..2, &[insert(0)]), 1..3);
        assert_eq!(moved(0..2, &[insert(1)]), 0..3);
        assert_eq!(moved(0..2, &[insert(2), remove(2)]), 0..2);
        assert_eq!(moved(1..3, &[remove(0)]), 0..2);
        assert_eq!(moved(1..3, &[remove(1), remove(1)]), 1..1);
        let other = [Edit::AddField(field("A", "b")), Edit::ReplaceBody("x".into())];
        assert_eq!(moved(1..3, &other), 1..3);
    }

    proptest! {
        #[test]
        fn a_field_that_was_put_in_is_taken_out_again(data in "([a-c:]{1,3}[ \r\n]{0,2}){0,9}") {
            fuzz(data.as_bytes());
        }

        #[test]
        fn what_no_change_touches_stays(
            fields in proptest::collection::vec(("[A-Z]{1,5}", "[ -~]{0,20}"), 0..8),
            body in "[a-z\r\n]{0,40}",
            at in 0_usize..9,
        ) {
            let mut text = String::new();
            for (name, value) in &fields {
                text.push_str(&format!("{name}:{value}\r\n"));
            }
            text.push_str("\r\n");
            text.push_str(&body);
            let message = Bytes::from(text);
            let edit = Edit::InsertField { at, field: field("New", "v") };
            let out = apply_edits(&message, &[edit]);
            let out = std::str::from_utf8(&out).unwrap();
            let without = out.replacen("New: v\r\n", "", 1);
            prop_assert_eq!(without.as_bytes(), &message[..]);
        }
    }
}
