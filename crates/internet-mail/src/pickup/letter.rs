//! What a file's header says of its envelope.
//!
//! `X-Sender` and `X-Receiver` are the envelope, whatever `From` and `To` say;
//! without them `Sender` is, before `From`, and `To`, `Cc` and `Bcc` (Q201314).
//! They and `Bcc` do not go out with the message.

use concord_address::SmtpAddress;
use concord_base::Timestamp;
use concord_message::HeaderScan;
use mail_parser::{Address, MessageParser};

/// A message's envelope, and its header as it goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letter {
    /// `None` is `<>`.
    pub from: Option<SmtpAddress>,
    pub to: Vec<SmtpAddress>,
    /// With CRLF, without the empty line.
    pub header: Vec<u8>,
    /// Octets of the file up to the body, the empty line included.
    pub body_at: usize,
}

/// Why a file is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum LetterError {
    #[error("the file is empty")]
    Empty,
    #[error("the header is not ended by an empty line within its first {0} octets")]
    NoEnd(usize),
    #[error("line {0} of the header is no field ('Name: value')")]
    NoField(usize),
    #[error("'{0}' in {1} is no address")]
    BadAddress(String, &'static str),
    #[error("nobody sends it: there is no X-Sender, Sender or From")]
    NoSender,
    #[error("nobody gets it: there is no X-Receiver, To, Cc or Bcc")]
    NoReceiver,
}

/// A field with its continuation lines.
struct Field<'a> {
    name: &'a str,
    lines: Vec<&'a [u8]>,
}

impl Field<'_> {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Its value on one line.
    fn value(&self) -> String {
        let mut value = String::new();
        for line in &self.lines {
            value.push_str(&String::from_utf8_lossy(line));
            value.push(' ');
        }
        value.split_once(':').map_or("", |(_, value)| value).trim().to_owned()
    }
}

/// Reads the beginning of a file. `now`, `host` and `unique` make what a
/// message must have and this one has not (RFC 6409 section 8).
pub(super) fn read(
    head: &[u8],
    now: Timestamp,
    host: &str,
    unique: &str,
) -> Result<Letter, LetterError> {
    if head.is_empty() {
        return Err(LetterError::Empty);
    }
    let facts = HeaderScan::scan(head);
    let body_at = facts.body_at.ok_or(LetterError::NoEnd(head.len()))?;
    let fields = fields(head.get(..body_at).unwrap_or_default())?;
    let said = |name: &'static str| {
        let values = fields.iter().filter(|f| f.is(name)).map(Field::value);
        values.map(|value| bare(&value, name)).collect::<Result<Vec<_>, _>>()
    };
    let parsed = MessageParser::default().parse_headers(head);
    let of = |address: Option<&Address<'_>>, name| addresses(address, name);
    let from = match said("X-Sender")?.pop() {
        Some(sender) => sender,
        None => {
            let message = parsed.as_ref();
            let sender = of(message.and_then(|m| m.sender()), "Sender")?;
            let from = of(message.and_then(|m| m.from()), "From")?;
            Some(sender.into_iter().chain(from).next().ok_or(LetterError::NoSender)?)
        }
    };
    let mut to: Vec<SmtpAddress> = said("X-Receiver")?.into_iter().flatten().collect();
    if to.is_empty() {
        let message = parsed.as_ref();
        to.extend(of(message.and_then(|m| m.to()), "To")?);
        to.extend(of(message.and_then(|m| m.cc()), "Cc")?);
        to.extend(of(message.and_then(|m| m.bcc()), "Bcc")?);
    }
    let mut seen = std::collections::HashSet::new();
    to.retain(|address| seen.insert(address.key()));
    if to.is_empty() {
        return Err(LetterError::NoReceiver);
    }
    let mut header = Vec::with_capacity(body_at);
    if !facts.has_date {
        let date = concord_message::date::rfc5322(now);
        header.extend_from_slice(format!("Date: {date}\r\n").as_bytes());
    }
    if facts.message_id.is_empty() {
        let id = format!("Message-ID: <{unique}@{host}>\r\n");
        header.extend_from_slice(id.as_bytes());
    }
    let hidden = ["X-Sender", "X-Receiver", "Bcc"];
    for field in fields.iter().filter(|field| !hidden.iter().any(|name| field.is(name))) {
        for line in &field.lines {
            header.extend_from_slice(line);
            header.extend_from_slice(b"\r\n");
        }
    }
    Ok(Letter { from, to, header, body_at })
}

fn fields(header: &[u8]) -> Result<Vec<Field<'_>>, LetterError> {
    let mut fields: Vec<Field<'_>> = Vec::new();
    for (number, line) in header.split(|c| *c == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match line.first() {
            None => break,
            Some(b' ' | b'\t') => match fields.last_mut() {
                Some(field) => field.lines.push(line),
                None => return Err(LetterError::NoField(number + 1)),
            },
            Some(_) => {
                let end = memchr::memchr(b':', line).unwrap_or(0);
                let name = std::str::from_utf8(line.get(..end).unwrap_or_default());
                let name = name.map(str::trim_end).ok();
                let graphic =
                    |name: &&str| !name.is_empty() && name.bytes().all(|c| c.is_ascii_graphic());
                let name = name.filter(graphic).ok_or(LetterError::NoField(number + 1))?;
                fields.push(Field { name, lines: vec![line] });
            }
        }
    }
    Ok(fields)
}

/// An address with or without brackets; `<>` is nobody.
fn bare(value: &str, name: &'static str) -> Result<Option<SmtpAddress>, LetterError> {
    let inner = value.strip_prefix('<').and_then(|v| v.strip_suffix('>')).unwrap_or(value);
    if inner.is_empty() && value == "<>" && name == "X-Sender" {
        return Ok(None);
    }
    let wrong = |_| LetterError::BadAddress(value.to_owned(), name);
    inner.parse().map(Some).map_err(wrong)
}

fn addresses(
    field: Option<&Address<'_>>,
    name: &'static str,
) -> Result<Vec<SmtpAddress>, LetterError> {
    let each = field.map(|field| field.iter().filter_map(|a| a.address.as_deref()));
    each.into_iter()
        .flatten()
        .map(|text| text.parse().map_err(|_| LetterError::BadAddress(text.to_owned(), name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(text: &str) -> Result<Letter, LetterError> {
        read(text.as_bytes(), Timestamp::from_seconds(1_800_000_000), "mail.test", "u")
    }

    fn to(letter: &Letter) -> Vec<String> {
        letter.to.iter().map(ToString::to_string).collect()
    }

    /// T26
    #[test]
    fn the_envelope_is_x_sender_and_x_receiver() {
        let text = "X-Sender: <app@here.test>\nX-Receiver: a@one.test\nx-receiver: <b@two.test>\n\
             From: Boss <boss@here.test>\nTo: everybody@one.test\nSubject: x\n  y\n\nbody\n";
        let l = letter(text).unwrap();
        assert_eq!(l.from.as_ref().unwrap().to_string(), "app@here.test");
        assert_eq!(to(&l), ["a@one.test", "b@two.test"]);
        let header = String::from_utf8(l.header).unwrap();
        assert!(!header.to_lowercase().contains("x-receiver"), "{header}");
        assert!(header.ends_with("Subject: x\r\n  y\r\n"), "{header}");
        assert!(header.contains("Message-ID: <u@mail.test>\r\n") && header.contains("Date: "));
        assert_eq!(&text[l.body_at..], "body\n");
    }

    /// T26
    #[test]
    fn without_them_sender_comes_before_from_and_bcc_is_kept_from_the_reader() {
        let l = letter(
            "From: boss@here.test\r\nSender: pa@here.test\r\nTo: A <a@one.test>, b@two.test\r\n\
             Cc: grp:c@three.test;\r\nBcc: d@four.test, A@one.test\r\nMessage-ID: <1@x>\r\n\
             Date: Mon, 1 Jan 2024 00:00:00 +0000\r\n\r\n.\r\n",
        )
        .unwrap();
        assert_eq!(l.from.as_ref().unwrap().to_string(), "pa@here.test");
        assert_eq!(to(&l), ["a@one.test", "b@two.test", "c@three.test", "d@four.test"]);
        let header = String::from_utf8(l.header).unwrap();
        assert!(!header.contains("four.test") && !header.contains("@mail.test"), "{header}");
    }

    #[test]
    fn nobody_may_send_but_not_get() {
        let l = letter("X-Sender: <>\nX-Receiver: a@one.test\n\n").unwrap();
        assert_eq!(l.from, None);
        for (text, said) in [
            ("", LetterError::Empty),
            ("From: a@b.test\n\nx", LetterError::NoReceiver),
            ("To: a@b.test\n\nx", LetterError::NoSender),
            ("To: a@b.test\n", LetterError::NoEnd(13)),
            ("no field\n\nx", LetterError::NoField(1)),
            (
                "X-Sender: a@b.test\nX-Receiver: nonsense\n\n",
                LetterError::BadAddress("nonsense".into(), "X-Receiver"),
            ),
        ] {
            assert_eq!(letter(text), Err(said), "{text:?}");
        }
    }
}
