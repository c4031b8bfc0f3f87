//! Messages on the wire: lines, dots doubled, a dot at the end (RFC 1939
//! section 3).

/// How much of a message goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of it (RETR).
    Whole,
    /// The header and so many lines of the body (TOP).
    Top(u64),
}

/// Turns a message that comes in pieces into what is sent.
#[derive(Debug)]
pub(crate) struct Sender {
    extent: Extent,
    in_header: bool,
    line_start: bool,
    /// The line so far is empty but for a CR.
    blank: bool,
    done: bool,
}

impl Sender {
    pub(crate) fn new(extent: Extent) -> Self {
        Self { extent, in_header: true, line_start: true, blank: true, done: false }
    }

    /// Whether no more of the message is wanted.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// Adds a piece.
    pub(crate) fn push(&mut self, out: &mut Vec<u8>, piece: &[u8]) {
        let mut rest = piece;
        while !rest.is_empty() && !self.done {
            let end = memchr::memchr(b'\n', rest).map(|at| at + 1);
            let (line, after) =
                rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, &[]));
            rest = after;
            // a line may begin behind any LF, so every one is guarded
            if self.line_start && line.starts_with(b".") {
                out.push(b'.');
            }
            out.extend_from_slice(line);
            self.line_start = end.is_some();
            self.blank &= matches!(line, b"\r" | b"\n" | b"\r\n");
            if self.line_start {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let blank = std::mem::replace(&mut self.blank, true);
        if self.in_header {
            self.in_header = !blank;
            self.done = !self.in_header && self.extent == Extent::Top(0);
        } else if let Extent::Top(lines) = &mut self.extent {
            *lines = lines.saturating_sub(1);
            self.done = *lines == 0;
        }
    }

    /// Ends the message.
    pub(crate) fn finish(self, out: &mut Vec<u8>) {
        if !self.line_start {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
    }
}

pub(crate) fn fuzz(data: &[u8]) {
    let (mut out, mut sender) = (Vec::new(), Sender::new(Extent::Whole));
    for piece in data.chunks(7) {
        sender.push(&mut out, piece);
    }
    sender.finish(&mut out);
    // the end is at the end and nowhere else
    let ends = out.split_inclusive(|c| *c == b'\n').filter(|l| matches!(*l, b".\r\n" | b".\n"));
    assert!(out.ends_with(b".\r\n") && ends.count() == 1);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(extent: Extent, message: &str) -> String {
        let (mut out, mut sender) = (Vec::new(), Sender::new(extent));
        for piece in message.as_bytes().chunks(3) {
            sender.push(&mut out, piece);
        }
        sender.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_and_dots() {
        for (extent, message, expected) in [
            (Extent::Whole, "a: b\r\n\r\n.\r\n..x\r\n", "a: b\r\n\r\n..\r\n...x\r\n.\r\n"),
            (Extent::Whole, "no end", "no end\r\n.\r\n"),
            (Extent::Whole, "", ".\r\n"),
            (Extent::Whole, "a\n.\nb", "a\n..\nb\r\n.\r\n"),
            (Extent::Top(0), "a: b\r\n\r\nx\r\ny\r\n", "a: b\r\n\r\n.\r\n"),
            (Extent::Top(1), "a: b\r\n\r\nx\r\ny\r\n", "a: b\r\n\r\nx\r\n.\r\n"),
            (Extent::Top(9), "a: b\n\nx\ny", "a: b\n\nx\ny\r\n.\r\n"),
        ] {
            assert_eq!(sent(extent, message), expected, "{message}");
        }
    }

    proptest::proptest! {
        #[test]
        fn the_end_is_found_in_any_message(data: Vec<u8>) {
            fuzz(&data);
        }

        #[test]
        fn the_end_is_found_in_dotty_messages(text in "[.\r\na]{0,40}") {
            fuzz(text.as_bytes());
        }
    }
}
