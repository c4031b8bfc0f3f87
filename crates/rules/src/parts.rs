//! Whether a message carries attachments, found out while it streams by.

use crate::Answer;
use crate::header::{Content, Header};
use memchr::memchr;

/// Multiparts within multiparts; people's programs make four.
const MAX_NESTING: usize = 16;
/// Octets of a part's header; a long file name in many pieces has one KiB.
const MAX_PART_HEADER: usize = 8 << 10;

/// A multipart whose end has not come.
#[derive(Debug)]
struct Multipart {
    boundary: Vec<u8>,
    /// What a report returns is no attachment (RFC 6522).
    report: bool,
}

/// Looks for boundaries (RFC 2046 section 5.1.1) and at the headers behind them.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    open: Vec<Multipart>,
    /// The header of the part that has just begun.
    header: Option<Vec<u8>>,
    /// The beginning of a line whose end has not come.
    held: Vec<u8>,
    found: bool,
    /// Some part could not be looked at.
    lost: bool,
}

impl Parts {
    /// Begins behind a message's header.
    pub fn new(header: &Header) -> Self {
        let mut parts = Self::default();
        parts.part(header);
        parts
    }

    /// Looks at the next octets of the body.
    pub fn feed(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while !self.found && !self.open.is_empty() {
            let Some(end) = memchr(b'\n', rest) else { return self.hold(rest) };
            let (line, after) = rest.split_at_checked(end + 1).unwrap_or((rest, &[]));
            rest = after;
            if self.held.is_empty() {
                self.line(line);
            } else {
                self.hold(line);
                let held = std::mem::take(&mut self.held);
                self.line(&held);
                self.held = held;
                self.held.clear();
            }
        }
    }

    /// The answer, once the body has ended.
    pub fn finish(mut self) -> Answer {
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() {
            self.line(&held);
        }
        // A part whose header was cut off may have been one.
        self.end_header();
        match (self.found, self.lost) {
            (true, _) => Answer::Yes,
            (_, true) => Answer::Unknown,
            _ => Answer::No,
        }
    }

    fn hold(&mut self, part: &[u8]) {
        let room = MAX_PART_HEADER.saturating_sub(self.held.len());
        self.held.extend_from_slice(part.get(..room.min(part.len())).unwrap_or(part));
    }

    fn line(&mut self, line: &[u8]) {
        let text = line.trim_ascii_end();
        if text.starts_with(b"--") && self.boundary(text.get(2..).unwrap_or_default()) {
            return;
        }
        let Some(header) = &mut self.header else { return };
        if text.is_empty() {
            return self.end_header();
        }
        if header.len() + line.len() > MAX_PART_HEADER {
            self.lost = true;
            self.header = None;
            return;
        }
        header.extend_from_slice(line);
    }

    /// Whether the rest of a line that begins with two hyphens is a boundary.
    fn boundary(&mut self, rest: &[u8]) -> bool {
        let place = self
            .open
            .iter()
            .rposition(|m| matches!(rest.strip_prefix(m.boundary.as_slice()), Some(b"" | b"--")));
        let Some(place) = place else { return false };
        let ends = self.open.get(place).is_some_and(|m| rest.len() > m.boundary.len());
        self.end_header();
        self.open.truncate(if ends { place } else { place + 1 });
        self.header = (!ends).then(Vec::new);
        true
    }

    fn end_header(&mut self) {
        if let Some(octets) = self.header.take() {
            self.part(&Header::new(octets));
        }
    }

    fn part(&mut self, header: &Header) {
        let content = header.content("Content-Type");
        let disposition = header.content("Content-Disposition");
        if let Some(Content { kind, subtype, boundary: Some(boundary), .. }) = &content
            && kind == "multipart"
        {
            if self.open.len() >= MAX_NESTING {
                self.lost = true;
                return;
            }
            let report = subtype == "report";
            return self.open.push(Multipart { boundary: boundary.clone(), report });
        }
        let is = |what: &str| disposition.as_ref().is_some_and(|d| d.kind == what);
        let has_name = [&content, &disposition].into_iter().flatten().any(|c| c.has_name);
        let message = content.as_ref().is_some_and(|c| c.kind == "message");
        let returned = self.open.last().is_some_and(|m| m.report);
        self.found |= is("attachment")
            || (has_name && !is("inline"))
            || (message && !returned && !self.open.is_empty());
        self.lost |= header.damaged;
    }
}

#[cfg(test)]
mod tests {
    use crate::{Answer, Facts};

    fn attachment(message: &str) -> Answer {
        Facts::of(message.replace('\n', "\r\n").as_bytes()).attachment
    }

    #[test]
    fn files_and_messages_are_attachments() {
        let mixed = |parts: &str| {
            format!("Content-Type: multipart/mixed; boundary=\"b1\"\n\npreamble\n{parts}\n--b1--\n")
        };
        let text = "--b1\nContent-Type: text/plain\n\nhello\n";
        assert_eq!(attachment(&mixed(text)), Answer::No);
        for part in [
            "--b1\nContent-Disposition: attachment\n\nx\n",
            "--b1\nContent-Disposition:\n ATTACHMENT;\n filename=\"a.txt\"\n\nx\n",
            "--b1\nContent-Type: application/pdf; name=a.pdf\n\nx\n",
            "--b1\nContent-Type: message/rfc822\n\nSubject: x\n\nx\n",
            "--b1\nContent-Type: multipart/alternative; boundary=b1b\n\n--b1b\n\nx\n--b1b\n\
             Content-Disposition: attachment\n\nx\n--b1b--\n",
        ] {
            assert_eq!(attachment(&mixed(&format!("{text}{part}"))), Answer::Yes, "{part}");
        }
        let inline = "--b1\nContent-Type: image/png; name=logo.png\n\
                      Content-Disposition: inline; filename=logo.png\n\nx\n";
        assert_eq!(attachment(&mixed(inline)), Answer::No);
        let behind = "--b1--\nContent-Disposition: attachment\n\n";
        assert_eq!(attachment(&mixed(behind)), Answer::No, "the epilogue is no part");
        assert_eq!(attachment("Content-Disposition: attachment\n\nx"), Answer::Yes);
        assert_eq!(attachment("Subject: x\n\n--b1\nContent-Disposition: attachment\n"), Answer::No);
        let report = "Content-Type: multipart/report; report-type=delivery-status; boundary=r\n\n\
                      --r\n\nwords\n--r\nContent-Type: message/delivery-status\n\nx: y\n--r\n\
                      Content-Type: message/rfc822\n\nSubject: x\n\n--r--\n";
        assert_eq!(attachment(report), Answer::No);
    }

    #[test]
    fn what_is_beyond_the_bounds_is_not_known() {
        let mut nested = String::new();
        for n in 0..20 {
            nested.push_str(&format!("Content-Type: multipart/mixed; boundary=b{n}x\n\n--b{n}x\n"));
        }
        assert_eq!(attachment(&nested), Answer::Unknown);
        let long = format!(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nX: {}\n\nx\n--b--\n",
            "x".repeat(9_000)
        );
        assert_eq!(attachment(&long), Answer::Unknown);
    }
}
