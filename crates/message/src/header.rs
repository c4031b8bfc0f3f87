//! One pass over a message's header as it streams in.

use crate::text;
use crate::urgency::Urgency;
use memchr::memchr;

/// Octets of a header that are looked at. Real ones with hundreds of trace
/// lines stay below a tenth of it.
pub const MAX_HEADER: usize = 256 * 1024;
/// Octets of a Message-ID that are kept. RFC 5322 lines have at most 998;
/// identifiers in the field stay below 250.
pub const MAX_MESSAGE_ID: usize = 512;
/// Characters of a subject that are kept, for listings.
pub const MAX_SUBJECT_CHARS: usize = 120;
/// Octets of one field's value that are kept for decoding: enough for
/// [`MAX_SUBJECT_CHARS`] four-octet characters in base 64 encoded words.
const MAX_VALUE: usize = 2_048;
/// Octets of an unfinished line that are kept between pieces: the longest
/// field name looked for, and a value.
const MAX_HELD: usize = MAX_VALUE + 64;

/// What a header says, as far as transport wants to know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeaderFacts {
    /// The first `Message-ID`, without brackets, at most [`MAX_MESSAGE_ID`]
    /// octets; empty if there is none.
    pub message_id: String,
    /// The first `Subject`, decoded (RFC 2047), at most [`MAX_SUBJECT_CHARS`]
    /// characters, without control characters; empty if there is none.
    pub subject: String,
    /// The first `TLS-Required` is `No` (RFC 8689 section 3).
    pub tls_optional: bool,
    /// Number of `Received` fields: a loop has many.
    pub received: u32,
    /// Whether there is a `Date` field.
    pub has_date: bool,
    /// Whether there is a `From` field.
    pub has_from: bool,
    /// Whether the header has octets above 127 (RFC 6532).
    pub eight_bit: bool,
    /// `Auto-Submitted: auto-replied` (RFC 3834 section 5).
    pub auto_replied: bool,
    /// What `Priority` says, without it `X-Priority`, without it `Importance`.
    pub urgency: Urgency,
    /// Octets before the body: where the line after the empty line begins.
    /// `None` if the header did not end in what was scanned.
    pub body_at: Option<usize>,
}

/// The fields whose value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    MessageId,
    Subject,
    Other,
}

/// What the fields say of urgency, each the first time.
#[derive(Debug, Clone, Copy, Default)]
struct Urgencies {
    priority: Option<Urgency>,
    x_priority: Option<Urgency>,
    importance: Option<Urgency>,
}

/// Reads header facts from a message that comes in pieces of any size. Lines
/// end in CRLF or LF. A line that is no field is passed over: damage to one
/// line must not hide the Received lines after it.
#[derive(Debug)]
pub struct HeaderScan {
    facts: HeaderFacts,
    /// The field that a continuation line would belong to.
    field: Field,
    message_id: Option<Vec<u8>>,
    subject: Option<Vec<u8>>,
    /// Whether `TLS-Required` says no, if it is there.
    tls_required: Option<bool>,
    urgencies: Urgencies,
    /// The beginning of a line whose end has not come yet.
    held: Vec<u8>,
    /// Octets of that line so far, kept or not.
    held_octets: usize,
    /// Octets scanned.
    scanned: usize,
    done: bool,
}

impl Default for HeaderScan {
    fn default() -> Self {
        Self::new()
    }
}

impl HeaderScan {
    /// A scan that has seen nothing.
    pub const fn new() -> Self {
        Self {
            tls_required: None,
            facts: HeaderFacts {
                message_id: String::new(),
                subject: String::new(),
                tls_optional: false,
                received: 0,
                has_date: false,
                has_from: false,
                eight_bit: false,
                auto_replied: false,
                urgency: Urgency::Normal,
                body_at: None,
            },
            field: Field::Other,
            message_id: None,
            subject: None,
            urgencies: Urgencies { priority: None, x_priority: None, importance: None },
            held: Vec::new(),
            held_octets: 0,
            scanned: 0,
            done: false,
        }
    }

    /// The facts of a message whose beginning is in one piece.
    pub fn scan(message: &[u8]) -> HeaderFacts {
        let mut scan = Self::new();
        scan.feed(message);
        scan.finish()
    }

    /// Looks at the next piece; true once the header has been seen whole (or
    /// [`MAX_HEADER`] of it), after which more pieces change nothing.
    pub fn feed(&mut self, piece: &[u8]) -> bool {
        let room = MAX_HEADER.saturating_sub(self.scanned);
        let mut rest = piece.get(..room.min(piece.len())).unwrap_or(piece);
        while !self.done {
            let Some(end) = memchr(b'\n', rest) else {
                self.hold(rest);
                self.done = self.scanned >= MAX_HEADER;
                break;
            };
            let (line, after) = rest.split_at_checked(end + 1).unwrap_or((rest, &[]));
            rest = after;
            if self.held_octets == 0 {
                self.scanned += line.len();
                self.line(line);
            } else {
                self.hold(line);
                let held = std::mem::take(&mut self.held);
                self.line(&held);
                self.held = held;
                self.held.clear();
                self.held_octets = 0;
            }
            self.done |= self.scanned >= MAX_HEADER;
        }
        self.done
    }

    /// The facts so far; a header that ended without an empty line counts.
    pub fn finish(mut self) -> HeaderFacts {
        if self.held_octets > 0 {
            let held = std::mem::take(&mut self.held);
            self.field_line(&held);
        }
        if let Some(value) = &self.message_id {
            self.facts.message_id = text::message_id(value, MAX_MESSAGE_ID);
        }
        if let Some(value) = &self.subject {
            self.facts.subject = text::unstructured(value, MAX_SUBJECT_CHARS);
        }
        self.facts.tls_optional = self.tls_required == Some(true);
        let said = self.urgencies;
        let urgency = said.priority.or(said.x_priority).or(said.importance);
        self.facts.urgency = urgency.unwrap_or_default();
        self.facts
    }

    fn hold(&mut self, part: &[u8]) {
        let room = MAX_HELD.saturating_sub(self.held.len());
        self.held.extend_from_slice(part.get(..room.min(part.len())).unwrap_or(part));
        self.held_octets += part.len();
        self.scanned += part.len();
        // What does not fit is still looked at for this one fact.
        self.facts.eight_bit |= !part.is_ascii();
    }

    /// One line, its end included.
    fn line(&mut self, line: &[u8]) {
        if matches!(line, b"\r\n" | b"\n") {
            self.done = true;
            self.facts.body_at = Some(self.scanned);
            return;
        }
        self.field_line(line);
    }

    fn field_line(&mut self, line: &[u8]) {
        self.facts.eight_bit |= !line.is_ascii();
        // As much as is held of a line that comes in pieces, so that both read the same.
        let line = line.get(..MAX_HELD).unwrap_or(line);
        let Some(first) = line.first() else { return };
        if matches!(first, b' ' | b'\t') {
            return self.keep(line);
        }
        self.field = Field::Other;
        // Only these initials begin a field that is looked for.
        match first.to_ascii_lowercase() {
            b'r' if value_of(line, b"received").is_some() => {
                self.facts.received = self.facts.received.saturating_add(1);
            }
            b't' if self.tls_required.is_none() => {
                let value = value_of(line, b"tls-required");
                self.tls_required = value.map(|v| v.trim_ascii().eq_ignore_ascii_case(b"no"));
            }
            b'd' if value_of(line, b"date").is_some() => self.facts.has_date = true,
            b'f' if value_of(line, b"from").is_some() => self.facts.has_from = true,
            b'm' if self.message_id.is_none() => {
                if let Some(value) = value_of(line, b"message-id") {
                    self.field = Field::MessageId;
                    self.message_id = Some(Vec::with_capacity(value.len()));
                    self.keep(value);
                }
            }
            b's' if self.subject.is_none() => {
                if let Some(value) = value_of(line, b"subject") {
                    self.field = Field::Subject;
                    self.subject = Some(Vec::with_capacity(value.len()));
                    self.keep(value);
                }
            }
            b'a' => self.facts.auto_replied |= is_auto_reply(line),
            b'p' | b'x' | b'i' => self.urgencies.look(line),
            _ => {}
        }
    }

    fn keep(&mut self, value: &[u8]) {
        let kept = match self.field {
            Field::MessageId => self.message_id.as_mut(),
            Field::Subject => self.subject.as_mut(),
            Field::Other => None,
        };
        if let Some(kept) = kept {
            let room = MAX_VALUE.saturating_sub(kept.len());
            kept.extend_from_slice(value.get(..room.min(value.len())).unwrap_or(value));
        }
    }
}

/// The keyword may have parameters behind it.
fn is_auto_reply(line: &[u8]) -> bool {
    let value = value_of(line, b"auto-submitted").unwrap_or_default();
    let word = value.split(|c| matches!(c, b';' | b'(')).next().unwrap_or_default();
    word.trim_ascii().eq_ignore_ascii_case(b"auto-replied")
}

impl Urgencies {
    /// Their values are one word; a folded one is not looked for.
    fn look(&mut self, line: &[u8]) {
        type Reader = fn(&[u8]) -> Option<Urgency>;
        let fields: [(&mut Option<Urgency>, &[u8], Reader); 3] = [
            (&mut self.priority, b"priority", Urgency::of_priority),
            (&mut self.x_priority, b"x-priority", Urgency::of_x_priority),
            (&mut self.importance, b"importance", Urgency::of_importance),
        ];
        for (kept, name, read) in fields {
            if kept.is_none() {
                *kept = value_of(line, name).and_then(read);
            }
        }
    }
}

/// The value of a field line if its name is `name` (given in lower case).
/// White space before the colon is obsolete but legal (RFC 5322 section 4.5).
fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, mut rest) = line.split_at_checked(name.len())?;
    if !start.eq_ignore_ascii_case(name) {
        return None;
    }
    while let Some((b' ' | b'\t', after)) = rest.split_first() {
        rest = after;
    }
    match rest.split_first() {
        Some((b':', value)) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MESSAGE: &[u8] = b"Return-Path: <a@example.test>\r\n\
        Received: from x by y;\r\n\tFri, 13 Feb 2009 23:31:30 +0000\r\n\
        RECEIVED : from z by x; today\r\n\
        Received-SPF: pass\r\n\
        From: a@example.test\r\n\
        Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= from\r\n =?iso-8859-1?B?TfxuY2hlbg==?=\r\n\
        Message-ID:\r\n <one.two@example.test>\r\n\
        Subject: another\r\n\
        Date: Fri, 13 Feb 2009 23:31:30 +0000\r\n\
        \r\n\
        Received: in the body\r\n";

    #[test]
    fn facts_of_an_ordinary_message() {
        let facts = HeaderScan::scan(MESSAGE);
        assert_eq!(facts.message_id, "one.two@example.test");
        assert_eq!(facts.subject, "Grüße from München");
        assert_eq!(facts.received, 2);
        assert!(facts.has_date && facts.has_from && !facts.eight_bit);
        assert!(MESSAGE[facts.body_at.unwrap()..].starts_with(b"Received: in the body"));
    }

    #[test]
    fn a_header_reads_the_same_however_it_is_cut() {
        let whole = HeaderScan::scan(MESSAGE);
        for size in 1..MESSAGE.len() {
            let mut scan = HeaderScan::new();
            for piece in MESSAGE.chunks(size) {
                if scan.feed(piece) {
                    break;
                }
            }
            assert_eq!(scan.finish(), whole, "pieces of {size}");
        }
    }

    #[test]
    fn odd_headers_are_read_as_far_as_they_go() {
        let none = HeaderScan::scan(b"\r\nbody");
        assert_eq!(none.body_at, Some(2));
        assert_eq!(HeaderScan::scan(b"").body_at, None);
        let cut = HeaderScan::scan(b"Subject: no end");
        assert_eq!((cut.subject.as_str(), cut.body_at), ("no end", None));
        let broken = HeaderScan::scan(b"no field\nReceived: x\n\nb");
        assert_eq!((broken.received, broken.body_at), (1, Some(22)));
        let eight = HeaderScan::scan("X: ü\r\n\r\n".as_bytes());
        assert!(eight.eight_bit);
        assert!(!HeaderScan::scan("X: u\r\n\r\nü".as_bytes()).eight_bit);
        let bare = HeaderScan::scan(b"Message-ID: one@two (comment)\r\n\r\n");
        assert_eq!(bare.message_id, "one@two");
        let empty = HeaderScan::scan(b"Message-ID: <>\r\nSubject:\r\n\r\n");
        assert_eq!((empty.message_id.as_str(), empty.subject.as_str()), ("", ""));
        let latin = HeaderScan::scan(b"Subject: caf\xe9\x07 \x1b[31m\r\n\r\n");
        assert_eq!(latin.subject, "caf\u{fffd} [31m");
    }

    #[test]
    fn urgency_is_what_the_strongest_field_says() {
        for (header, urgency) in [
            ("", Urgency::Normal),
            ("Priority: urgent\r\n", Urgency::Urgent),
            ("PRIORITY:  Non-Urgent \r\n", Urgency::NonUrgent),
            ("X-Priority: 1 (Highest)\r\n", Urgency::Urgent),
            ("X-Priority: 5\r\n", Urgency::NonUrgent),
            ("Importance: high\r\n", Urgency::Urgent),
            ("Importance: low\r\nPriority: normal\r\nX-Priority: 1\r\n", Urgency::Normal),
            ("Importance: low\r\nX-Priority: 2\r\n", Urgency::Urgent),
            ("Priority: whatever\r\nX-Priority: x\r\n", Urgency::Normal),
            ("Priority-Of-Mine: urgent\r\n", Urgency::Normal),
            ("\r\nPriority: urgent\r\n", Urgency::Normal),
        ] {
            let facts = HeaderScan::scan(format!("{header}\r\nbody").as_bytes());
            assert_eq!(facts.urgency, urgency, "{header:?}");
        }
    }

    #[test]
    fn automatic_answers_say_so() {
        for (header, is) in [
            ("Auto-Submitted: auto-replied\r\n", true),
            ("auto-submitted:Auto-Replied; owner-email=a\r\n", true),
            ("Auto-Submitted: auto-generated\r\n", false),
            ("Auto-Submitted: no\r\n", false),
            ("Auto-Submitted-By: auto-replied\r\n", false),
        ] {
            let facts = HeaderScan::scan(format!("{header}\r\n").as_bytes());
            assert_eq!(facts.auto_replied, is, "{header}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut message = b"Subject: ".to_vec();
        message.extend(std::iter::repeat_n(b'x', 1 << 20));
        message.extend_from_slice(b"\r\nMessage-ID: <never-reached@x>\r\n\r\n");
        let facts = HeaderScan::scan(&message);
        assert_eq!(facts.subject.chars().count(), MAX_SUBJECT_CHARS);
        assert_eq!((facts.message_id.as_str(), facts.body_at), ("", None));
        let id = format!("Message-ID: <{}@x>\r\n\r\n", "i".repeat(5_000));
        assert_eq!(HeaderScan::scan(id.as_bytes()).message_id.len(), MAX_MESSAGE_ID);
    }

    #[test]
    fn a_hundred_thousand_received_lines_are_counted_to_the_bound() {
        let message = b"Received: x\r\n".repeat(100_000);
        let facts = HeaderScan::scan(&message);
        assert_eq!(usize::try_from(facts.received).unwrap(), MAX_HEADER / 13 + 1);
    }

    proptest! {
        #[test]
        fn any_cut_of_anything_reads_the_same(
            text in "(([a-zA-Z\\-]{0,12}[: \t]{0,3}|Subject: |Message-ID: <|Received: )[ -~é<>=?]{0,40}(\r\n|\n|\r|\r\n )){0,12}",
            cut in 0usize..400,
        ) {
            let bytes = text.as_bytes();
            let (head, tail) = bytes.split_at(cut.min(bytes.len()));
            let mut scan = HeaderScan::new();
            scan.feed(head);
            scan.feed(tail);
            prop_assert_eq!(scan.finish(), HeaderScan::scan(bytes));
        }

        #[test]
        fn no_octets_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            crate::fuzz(&bytes);
        }
    }
}
