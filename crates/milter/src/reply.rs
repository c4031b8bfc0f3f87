//! Replies that a filter words itself (`smfi_setreply`, `smfi_setmlreply`).

use crate::limits::{MAX_REPLY_LINE, MAX_REPLY_LINES};

/// An SMTP reply in a filter's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyCode {
    /// 400 to 599.
    pub code: u16,
    /// Class, subject and detail of the enhanced status (RFC 3463), if there is
    /// one that fits the code.
    pub status: Option<(u8, u16, u16)>,
    /// The text without code and status, at least one line, controls replaced.
    pub lines: Vec<String>,
}

impl ReplyCode {
    /// Reads `550 5.7.1 text`, or lines of that form parted by CRLF, all but
    /// the last with `-` behind the code. A doubled `%` is one, as libmilter's
    /// papers demand of filters; a single one stays.
    ///
    /// `None` if a line has no code of 4xx or 5xx, or codes differ.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = text.strip_suffix(b"\0").unwrap_or(text);
        let text = String::from_utf8_lossy(text);
        let text = text.trim_end_matches(['\r', '\n']);
        let mut reply: Option<Self> = None;
        for line in text.split('\n').take(MAX_REPLY_LINES) {
            let line = line.strip_suffix('\r').unwrap_or(line);
            let (code, rest) = code(line)?;
            let (status, rest) = status(code, rest);
            let line = clean(rest);
            match &mut reply {
                None => reply = Some(Self { code, status, lines: vec![line] }),
                Some(reply) if reply.code == code => reply.lines.push(line),
                Some(_) => return None,
            }
        }
        reply
    }

    /// As it goes over the wire, without the NUL.
    pub fn write(&self) -> String {
        let mut text = String::new();
        let last = self.lines.len().saturating_sub(1);
        for (at, line) in self.lines.iter().enumerate() {
            let sign = if at == last { ' ' } else { '-' };
            text.push_str(&format!("{:03}{sign}", self.code));
            if let Some((class, subject, detail)) = self.status {
                text.push_str(&format!("{class}.{subject}.{detail} "));
            }
            text.push_str(&line.replace('%', "%%"));
            if at != last {
                text.push_str("\r\n");
            }
        }
        text
    }
}

fn code(line: &str) -> Option<(u16, &str)> {
    let (digits, rest) = line.split_at_checked(3)?;
    if !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let code: u16 = digits.parse().ok()?;
    let rest = match rest.as_bytes().first() {
        None => rest,
        Some(b' ' | b'-') => rest.get(1..)?,
        Some(_) => return None,
    };
    (400..600).contains(&code).then_some((code, rest))
}

/// The status in front of the text. One of another class than the code would
/// say two things at once, so it is dropped.
fn status(code: u16, rest: &str) -> (Option<(u8, u16, u16)>, &str) {
    let (word, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let mut numbers = word.split('.');
    let mut next = |most: usize| {
        numbers
            .next()
            .filter(|n| (1..=most).contains(&n.len()) && n.bytes().all(|c| c.is_ascii_digit()))?
            .parse::<u16>()
            .ok()
    };
    let (Some(class), Some(subject), Some(detail)) = (next(1), next(3), next(3)) else {
        return (None, rest);
    };
    if numbers.next().is_some() {
        return (None, rest);
    }
    let class = u8::try_from(class).unwrap_or(0);
    (((u16::from(class)) == code / 100).then_some((class, subject, detail)), text)
}

fn clean(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(MAX_REPLY_LINE));
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if line.len().saturating_add(c.len_utf8()) > MAX_REPLY_LINE {
            break;
        }
        if c == '%' {
            characters.next_if_eq(&'%');
        }
        line.push(if c.is_control() { '?' } else { c });
    }
    line
}

pub(crate) fn fuzz(data: &[u8]) {
    if let Some(reply) = ReplyCode::parse(data) {
        assert!((400..600).contains(&reply.code) && !reply.lines.is_empty());
        assert!(reply.lines.iter().all(|l| !l.contains(|c: char| c.is_control())));
        let again = ReplyCode::parse(reply.write().as_bytes());
        assert_eq!(again.map(|r| r.code), Some(reply.code));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_of_one_line_is_read() {
        let reply = ReplyCode::parse(b"550 5.7.1 100%% spam, 5%\0").unwrap();
        assert_eq!((reply.code, reply.status), (550, Some((5, 7, 1))));
        assert_eq!(reply.lines, ["100% spam, 5%"]);
        assert_eq!(reply.write(), "550 5.7.1 100%% spam, 5%%");
    }

    #[test]
    fn a_reply_of_several_lines_is_read() {
        let reply =
            ReplyCode::parse(b"451-4.7.1 one\r\n451-4.7.1 two\r\n451 4.7.1 three\0").unwrap();
        assert_eq!(reply.lines, ["one", "two", "three"]);
        assert_eq!(ReplyCode::parse(reply.write().as_bytes()), Some(reply));
    }

    #[test]
    fn what_is_no_reply_is_none() {
        for text in ["", "250 2.0.0 fine", "55", "5x0 no", "550?no", "550-a\r\n551 b", "600 x"] {
            assert_eq!(ReplyCode::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_status_of_another_class_is_dropped_and_no_control_passes() {
        let reply = ReplyCode::parse(b"550 4.7.1 later").unwrap();
        assert_eq!((reply.status, reply.lines.as_slice()), (None, &["later".to_owned()][..]));
        let reply = ReplyCode::parse(b"550 a\rb\x07").unwrap();
        assert_eq!(reply.lines, ["a?b?"]);
        assert_eq!(ReplyCode::parse(b"421").unwrap().lines, [""]);
    }
}
