//! Replies.

use crate::limits::MAX_WRITTEN_REPLY_LINE;
use bytes::{BufMut, BytesMut};
use concord_base::EnhancedStatus;
use std::borrow::Cow;
use std::fmt;

/// What a reply code means for the command (RFC 5321 section 4.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReplyClass {
    /// 2xx
    Done,
    /// 3xx: go on.
    Continue,
    /// 4xx: may work later.
    Temporary,
    /// 5xx: will fail again.
    Permanent,
}

/// A reply: code, enhanced status, and text of one or more lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// 200 to 599.
    pub code: u16,
    /// RFC 2034; `None` where none stands (greeting, EHLO, 334, 354).
    pub status: Option<EnhancedStatus>,
    /// The text without code and status; lines are parted by `\n`.
    pub text: Cow<'static, str>,
}

impl Reply {
    /// A reply with an enhanced status, given as `(class, subject, detail)`.
    pub fn new(code: u16, status: (u8, u16, u16), text: impl Into<Cow<'static, str>>) -> Self {
        let status = EnhancedStatus::new(status.0, status.1, status.2);
        Self { code, status: Some(status), text: text.into() }
    }

    /// A reply without an enhanced status.
    pub fn plain(code: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, status: None, text: text.into() }
    }

    /// A refusal that says what an error says: 4xx or 5xx after the error's
    /// enhanced status, with the generic codes 451 and 554.
    pub fn from_fault(fault: &dyn concord_base::Fault) -> Self {
        let status = fault.enhanced_status();
        let code = if status.class == 5 { 554 } else { 451 };
        Self { code, status: Some(status), text: fault.to_string().into() }
    }

    /// What the code means.
    pub const fn class(&self) -> ReplyClass {
        match self.code {
            0..300 => ReplyClass::Done,
            300..400 => ReplyClass::Continue,
            400..500 => ReplyClass::Temporary,
            _ => ReplyClass::Permanent,
        }
    }

    /// 2xx
    pub const fn is_ok(&self) -> bool {
        matches!(self.class(), ReplyClass::Done)
    }

    /// 4xx
    pub const fn is_temporary(&self) -> bool {
        matches!(self.class(), ReplyClass::Temporary)
    }

    /// 5xx
    pub const fn is_permanent(&self) -> bool {
        matches!(self.class(), ReplyClass::Permanent)
    }

    /// The enhanced status; if the peer gave none, the generic one of the code
    /// (RFC 3463: `2.0.0`, `4.0.0`, `5.0.0`).
    pub fn status_or_generic(&self) -> EnhancedStatus {
        let class = match self.class() {
            ReplyClass::Done | ReplyClass::Continue => 2,
            ReplyClass::Temporary => 4,
            ReplyClass::Permanent => 5,
        };
        self.status.unwrap_or(EnhancedStatus::new(class, 0, 0))
    }

    /// The lines of the text; at least one.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.split('\n')
    }

    /// Appends the reply as it goes over the wire. Controls in the text become
    /// `?`, lines are cut at 512 octets (RFC 5321 section 4.5.3.1.5).
    pub fn write(&self, out: &mut BytesMut) {
        let mut lines = self.text.split('\n').peekable();
        while let Some(line) = lines.next() {
            self.write_line(out, line, lines.peek().is_none());
        }
    }

    fn write_line(&self, out: &mut BytesMut, line: &str, last: bool) {
        let start = out.len();
        put_code(out, self.code);
        out.put_u8(if last { b' ' } else { b'-' });
        if let Some(status) = self.status {
            put_number(out, u16::from(status.class));
            out.put_u8(b'.');
            put_number(out, status.subject);
            out.put_u8(b'.');
            put_number(out, status.detail);
            out.put_u8(b' ');
        }
        let head = out.len().saturating_sub(start);
        let room = MAX_WRITTEN_REPLY_LINE.saturating_sub(head.saturating_add(2));
        let line = cut(line, room);
        if line.bytes().any(|c| c.is_ascii_control() && c != b'\t') {
            out.extend(line.bytes().map(|c| if c.is_ascii_control() { b'?' } else { c }));
        } else {
            out.put_slice(line.as_bytes());
        }
        out.put_slice(b"\r\n");
    }

    /// The reply as it goes over the wire.
    pub fn to_bytes(&self) -> BytesMut {
        let mut out = BytesMut::with_capacity(self.text.len().saturating_add(16));
        self.write(&mut out);
        out
    }
}

/// The first `room` octets, or fewer so that no character is cut.
fn cut(line: &str, room: usize) -> &str {
    let mut end = room.min(line.len());
    while !line.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    line.get(..end).unwrap_or_default()
}

/// Three digits, whatever the number.
fn put_code(out: &mut BytesMut, code: u16) {
    let code = code.clamp(200, 599);
    for digit in [code / 100, code / 10 % 10, code % 10] {
        out.put_u8(b'0'.saturating_add(u8::try_from(digit).unwrap_or(0)));
    }
}

fn put_number(out: &mut BytesMut, number: u16) {
    if number >= 10 {
        put_number(out, number / 10);
    }
    out.put_u8(b'0'.saturating_add(u8::try_from(number % 10).unwrap_or(0)));
}

impl fmt::Display for Reply {
    /// On one line, as logs and reports show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(status) = self.status {
            write!(f, " {status}")?;
        }
        for line in self.lines() {
            write!(f, " {line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_print_as_on_the_wire() {
        let reply = Reply::new(250, (2, 1, 5), "first\nsecond");
        assert_eq!(&reply.to_bytes()[..], b"250-2.1.5 first\r\n250 2.1.5 second\r\n");
        assert_eq!(&Reply::plain(354, "go").to_bytes()[..], b"354 go\r\n");
        assert_eq!(&Reply::plain(250, "").to_bytes()[..], b"250 \r\n");
    }

    #[test]
    fn no_text_breaks_a_line_or_its_length() {
        let reply = Reply::new(550, (5, 0, 0), format!("a\rb\0{}", "ü".repeat(600)));
        let bytes = reply.to_bytes();
        assert!(bytes.len() <= 512 && bytes.ends_with(b"\r\n"));
        assert!(bytes.starts_with(b"550 5.0.0 a?b?"));
        assert!(std::str::from_utf8(&bytes).is_ok());
    }
}
