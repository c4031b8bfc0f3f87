//! ENVELOPE, and what SEARCH asks of a header, made in one pass.

use super::address::addresses;
use super::header::{fields, unfold};
use crate::{dates, text, write};

/// What is kept of a message's header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HeaderMeta {
    /// The finished `(...)` of ENVELOPE.
    pub envelope: Box<[u8]>,
    /// Decoded and in lower case, for SEARCH.
    pub subject: Box<str>,
    pub from: Box<str>,
    pub to: Box<str>,
    pub cc: Box<str>,
    pub bcc: Box<str>,
    /// The day of the Date field.
    pub sent_day: Option<i64>,
}

impl HeaderMeta {
    /// Octets that it holds in memory, about.
    pub(crate) fn weight(&self) -> u64 {
        let strings = [&self.subject, &self.from, &self.to, &self.cc, &self.bcc];
        let text: usize = strings.iter().map(|s| s.len()).sum();
        u64::try_from(self.envelope.len() + text).unwrap_or(u64::MAX) + 200
    }
}

/// Raw values of the fields that an envelope has. A field that is given twice
/// counts once, the first, but addresses add up.
#[derive(Default)]
struct Raw {
    date: Option<Vec<u8>>,
    subject: Option<Vec<u8>>,
    from: Option<Vec<u8>>,
    sender: Option<Vec<u8>>,
    reply_to: Option<Vec<u8>>,
    to: Option<Vec<u8>>,
    cc: Option<Vec<u8>>,
    bcc: Option<Vec<u8>>,
    in_reply_to: Option<Vec<u8>>,
    message_id: Option<Vec<u8>>,
}

fn raw(header: &[u8]) -> Raw {
    let mut raw = Raw::default();
    for field in fields(header) {
        let is = |name: &[u8]| field.name.eq_ignore_ascii_case(name);
        let (slot, list) = match field.name.len() {
            2 if is(b"to") => (&mut raw.to, true),
            2 if is(b"cc") => (&mut raw.cc, true),
            3 if is(b"bcc") => (&mut raw.bcc, true),
            4 if is(b"from") => (&mut raw.from, true),
            4 if is(b"date") => (&mut raw.date, false),
            6 if is(b"sender") => (&mut raw.sender, true),
            7 if is(b"subject") => (&mut raw.subject, false),
            8 if is(b"reply-to") => (&mut raw.reply_to, true),
            10 if is(b"message-id") => (&mut raw.message_id, false),
            11 if is(b"in-reply-to") => (&mut raw.in_reply_to, false),
            _ => continue,
        };
        match slot {
            None => *slot = Some(unfold(field.value)),
            Some(have) if list => {
                have.extend_from_slice(b", ");
                have.extend_from_slice(&unfold(field.value));
            }
            Some(_) => {}
        }
    }
    raw
}

fn write_envelope(out: &mut Vec<u8>, raw: &Raw) {
    let blank = |value: &Option<Vec<u8>>| value.as_ref().is_none_or(Vec::is_empty);
    out.push(b'(');
    write::nstring(out, raw.date.as_deref());
    out.push(b' ');
    write::nstring(out, raw.subject.as_deref());
    // RFC 3501 section 7.4.2: sender and reply-to default to from
    let sender = if blank(&raw.sender) { &raw.from } else { &raw.sender };
    let reply_to = if blank(&raw.reply_to) { &raw.from } else { &raw.reply_to };
    for list in [&raw.from, sender, reply_to, &raw.to, &raw.cc, &raw.bcc] {
        out.push(b' ');
        addresses(out, list.as_deref());
    }
    for value in [&raw.in_reply_to, &raw.message_id] {
        out.push(b' ');
        write::nstring(out, value.as_deref());
    }
    out.push(b')');
}

/// Writes the ENVELOPE of a header block.
pub(crate) fn envelope(out: &mut Vec<u8>, header: &[u8]) {
    write_envelope(out, &raw(header));
}

/// Everything that is kept of a header block.
pub(crate) fn header_meta(header: &[u8]) -> HeaderMeta {
    let raw = raw(header);
    let mut envelope = Vec::with_capacity(512);
    write_envelope(&mut envelope, &raw);
    let fold = |value: &Option<Vec<u8>>| -> Box<str> {
        value.as_deref().map(|v| text::fold(&text::header(v))).unwrap_or_default().into()
    };
    HeaderMeta {
        envelope: envelope.into(),
        subject: fold(&raw.subject),
        from: fold(&raw.from),
        to: fold(&raw.to),
        cc: fold(&raw.cc),
        bcc: fold(&raw.bcc),
        sent_day: raw
            .date
            .as_deref()
            .and_then(|date| std::str::from_utf8(date).ok())
            .and_then(dates::sent_day),
    }
}
