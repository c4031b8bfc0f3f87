//! Reading replies.

use crate::limits::{MAX_REPLY, MAX_REPLY_LINE, MAX_REPLY_LINES};
use crate::reply::Reply;
use bytes::{Buf, BytesMut};
use concord_base::EnhancedStatus;

/// A peer's octets are no reply; the connection is of no further use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// Not `NNN text`.
    #[error("the peer's answer is no reply: '{0}'")]
    Malformed(String),
    /// The lines of one reply have different codes.
    #[error("the peer's reply changes its code")]
    CodeChanged,
    /// Beyond [`MAX_REPLY_LINE`], [`MAX_REPLY_LINES`] or [`MAX_REPLY`].
    #[error("the peer's reply is too long")]
    TooLong,
}

/// Reads replies out of a buffer of received octets, keeping the lines of one
/// that is not complete.
#[derive(Debug, Clone, Default)]
pub struct ReplyParser {
    code: Option<u16>,
    status: Option<EnhancedStatus>,
    text: String,
    lines: usize,
}

impl ReplyParser {
    /// The next reply, with its octets dropped from `buffer`; `None` if it is
    /// not complete yet. Lines may end in a bare LF.
    pub fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Reply>, ReplyError> {
        loop {
            let Some(lf) = memchr::memchr(b'\n', buffer) else {
                return if buffer.len() > MAX_REPLY_LINE {
                    Err(ReplyError::TooLong)
                } else {
                    Ok(None)
                };
            };
            if lf > MAX_REPLY_LINE || self.lines >= MAX_REPLY_LINES {
                return Err(ReplyError::TooLong);
            }
            let last = self.line(buffer.get(..lf).unwrap_or_default());
            buffer.advance(lf.saturating_add(1));
            if last? {
                let done = std::mem::take(self);
                let text = done.text.into();
                return Ok(done.code.map(|code| Reply { code, status: done.status, text }));
            }
        }
    }

    /// Takes a line in; whether it was the last one.
    fn line(&mut self, line: &[u8]) -> Result<bool, ReplyError> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = String::from_utf8_lossy(line);
        let bad = || ReplyError::Malformed(line.chars().take(80).collect());
        let (code, rest) = line.split_at_checked(3).ok_or_else(bad)?;
        if !code.bytes().all(|c| c.is_ascii_digit()) {
            return Err(bad());
        }
        let code: u16 = code.parse().map_err(|_| bad())?;
        if !(200..600).contains(&code) {
            return Err(bad());
        }
        let (last, text) = match rest.as_bytes().first() {
            None => (true, ""),
            Some(b' ') => (true, rest.get(1..).unwrap_or_default()),
            Some(b'-') => (false, rest.get(1..).unwrap_or_default()),
            Some(_) => return Err(bad()),
        };
        if self.code.is_some_and(|first| first != code) {
            return Err(ReplyError::CodeChanged);
        }
        let (status, stripped) = split_status(code, text);
        if self.code.is_none() {
            self.status = status;
        } else {
            self.text.push('\n');
        }
        // A later line with another status keeps it in its text.
        let text = if status.is_some() && status == self.status { stripped } else { text };
        self.code = Some(code);
        self.lines = self.lines.saturating_add(1);
        self.text.push_str(text);
        if self.text.len() > MAX_REPLY { Err(ReplyError::TooLong) } else { Ok(last) }
    }
}

/// RFC 2034: `class.subject.detail` of the code's class, and a space.
fn split_status(code: u16, text: &str) -> (Option<EnhancedStatus>, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut parts = word.split('.');
    let mut number = |digits: usize| {
        let part = parts.next()?;
        let fits = part.len() <= digits && part.bytes().all(|c| c.is_ascii_digit());
        part.parse::<u16>().ok().filter(|_| fits)
    };
    let read = (number(1), number(3), number(3));
    let (Some(class), Some(subject), Some(detail)) = read else { return (None, text) };
    if parts.next().is_some() || class != code / 100 {
        return (None, text);
    }
    let class = u8::try_from(class).unwrap_or(5);
    (Some(EnhancedStatus::new(class, subject, detail)), rest)
}

#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    let mut parser = ReplyParser::default();
    let mut buffer = BytesMut::from(data);
    while let Ok(Some(reply)) = parser.next(&mut buffer) {
        let mut wire = reply.to_bytes();
        assert!(matches!(ReplyParser::default().next(&mut wire), Ok(Some(_))));
        assert!(wire.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Option<Reply>, ReplyError> {
        ReplyParser::default().next(&mut BytesMut::from(text))
    }

    #[test]
    fn replies_are_read() {
        assert_eq!(read("250 2.1.0 ok\r\n"), Ok(Some(Reply::new(250, (2, 1, 0), "ok"))));
        assert_eq!(read("250\r\n"), Ok(Some(Reply::plain(250, ""))));
        assert_eq!(read("220 1.2.3.4 ESMTP\n"), Ok(Some(Reply::plain(220, "1.2.3.4 ESMTP"))));
        assert_eq!(read("550 2.1.1 odd\r\n"), Ok(Some(Reply::plain(550, "2.1.1 odd"))));
        assert_eq!(
            read("550-5.7.1 a\r\n550 5.7.1 b\r\n"),
            Ok(Some(Reply::new(550, (5, 7, 1), "a\nb")))
        );
        assert_eq!(
            read("550-5.7.1 a\r\n550-b\r\n550 5.7.2 c\r\n"),
            Ok(Some(Reply::new(550, (5, 7, 1), "a\nb\n5.7.2 c")))
        );
        assert_eq!(read("250-a\r\n"), Ok(None));
    }

    #[test]
    fn what_is_no_reply_is_an_error() {
        for text in ["hello\r\n", "25 x\r\n", "2500\r\n", "199 x\r\n", "600 x\r\n", "\r\n", "ab\n"]
        {
            assert!(matches!(read(text), Err(ReplyError::Malformed(_))), "{text:?}");
        }
        assert_eq!(read("250-a\r\n251 b\r\n"), Err(ReplyError::CodeChanged));
        assert_eq!(read(&"250-a\r\n".repeat(200)), Err(ReplyError::TooLong));
        assert_eq!(read(&"2".repeat(5000)), Err(ReplyError::TooLong));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            code in 200u16..600, subject in 0u16..1000, detail in 0u16..1000,
            lines in proptest::collection::vec("[a-zA-Z:;<>@ü][a-z .ü]{0,60}", 1..5), cut in 1usize..20,
        ) {
            let class = u8::try_from(code / 100).unwrap();
            let reply = Reply::new(code, (class, subject, detail), lines.join("\n"));
            let wire = reply.to_bytes();
            let (mut parser, mut buffer) = (ReplyParser::default(), BytesMut::new());
            let mut got = None;
            for piece in wire.chunks(cut) {
                buffer.extend_from_slice(piece);
                if let Some(reply) = parser.next(&mut buffer).unwrap() {
                    got = Some(reply);
                }
            }
            prop_assert_eq!(got, Some(reply));
            prop_assert!(buffer.is_empty());
        }

        #[test]
        fn nothing_makes_it_fail(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            fuzz(&data);
        }
    }
}
