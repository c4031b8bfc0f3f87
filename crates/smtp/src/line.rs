//! Cutting command lines out of a stream of octets.

/// What stands at the beginning of a buffer of received octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framed<'a> {
    /// A line that ends in CRLF and has no other CR or LF. `line` is without
    /// its CRLF; `used` octets of the buffer are done with.
    Line {
        /// The line.
        line: &'a [u8],
        /// Octets to drop from the buffer.
        used: usize,
    },
    /// A line with a bare LF or a bare CR: it is refused whole (`500 5.5.2`)
    /// and `used` octets, to its LF, are dropped.
    Bare {
        /// Octets to drop from the buffer.
        used: usize,
    },
    /// The line is longer than the limit: refuse it (`500 5.5.6`), and drop
    /// what follows to its LF with [`skip_line`].
    TooLong,
    /// No LF yet.
    Partial,
}

/// Cuts the first line out of `buffer`; a line with its CRLF has at most
/// `limit` octets (RFC 5321 section 4.5.3.1.4).
pub fn frame_line(buffer: &[u8], limit: usize) -> Framed<'_> {
    let window = buffer.get(..limit).unwrap_or(buffer);
    let Some(lf) = memchr::memchr(b'\n', window) else {
        return if buffer.len() >= limit { Framed::TooLong } else { Framed::Partial };
    };
    let used = lf.saturating_add(1);
    let line = window.get(..lf).unwrap_or_default();
    match line.split_last() {
        Some((b'\r', line)) if memchr::memchr(b'\r', line).is_none() => Framed::Line { line, used },
        _ => Framed::Bare { used },
    }
}

/// How many octets of a line that is too long to drop now, and whether its LF
/// was among them.
pub fn skip_line(buffer: &[u8]) -> (usize, bool) {
    match memchr::memchr(b'\n', buffer) {
        Some(lf) => (lf.saturating_add(1), true),
        None => (buffer.len(), false),
    }
}

#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    for limit in [1, 16, super::limits::MAX_COMMAND_LINE] {
        if let Framed::Line { line, used } = frame_line(data, limit) {
            assert_eq!(used, line.len() + 2);
            assert!(used <= limit && !line.contains(&b'\r') && !line.contains(&b'\n'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_crlf_ends_a_line() {
        assert_eq!(frame_line(b"NOOP\r\nQ", 64), Framed::Line { line: b"NOOP", used: 6 });
        assert_eq!(frame_line(b"NOOP\nQUIT\r\n", 64), Framed::Bare { used: 5 });
        assert_eq!(frame_line(b"NO\rOP\r\n", 64), Framed::Bare { used: 7 });
        assert_eq!(frame_line(b"\n", 64), Framed::Bare { used: 1 });
        assert_eq!(frame_line(b"NOOP\r", 64), Framed::Partial);
        assert_eq!(frame_line(b"", 64), Framed::Partial);
        assert_eq!(frame_line(b"\r\n", 64), Framed::Line { line: b"", used: 2 });
    }

    #[test]
    fn the_limit_counts_the_crlf() {
        assert_eq!(frame_line(b"NOOP\r\n", 6), Framed::Line { line: b"NOOP", used: 6 });
        assert_eq!(frame_line(b"NOOP1\r\n", 6), Framed::TooLong);
        assert_eq!(frame_line(b"NOOP1X", 6), Framed::TooLong);
        assert_eq!(skip_line(b"rest\r\nQUIT\r\n"), (6, true));
        assert_eq!(skip_line(b"rest"), (4, false));
    }
}
