//! From octets to lines that may be shown.

use concord_smtp_tokio::Way;

/// Octets of a line that are shown; commands are shorter.
const SHOWN: usize = 2048;

/// What stands for a secret.
const SECRET: &str = "(not shown)";

/// The lines of one conversation, passwords left out.
#[derive(Debug)]
pub(super) struct Lines {
    /// Which way the client's commands go.
    commands: Way,
    sent: Vec<u8>,
    received: Vec<u8>,
    /// The server has asked for something secret.
    asked: bool,
}

impl Lines {
    pub(super) const fn new(commands: Way) -> Self {
        Self { commands, sent: Vec::new(), received: Vec::new(), asked: false }
    }

    /// The lines that these octets complete.
    pub(super) fn feed(&mut self, way: Way, octets: &[u8]) -> Vec<String> {
        let buffer = match way {
            Way::Sent => &mut self.sent,
            Way::Received => &mut self.received,
        };
        buffer.extend_from_slice(octets);
        let mut lines = Vec::new();
        while let Some(end) = memchr::memchr(b'\n', buffer) {
            let line: Vec<u8> = buffer.drain(..=end).collect();
            lines.push(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned());
        }
        buffer.truncate(SHOWN);
        lines.into_iter().map(|line| self.shown(way, line)).collect()
    }

    fn shown(&mut self, way: Way, line: String) -> String {
        if way != self.commands {
            self.asked = line.starts_with("334");
            return line;
        }
        if std::mem::take(&mut self.asked) {
            return SECRET.to_owned();
        }
        let mut words = line.split_ascii_whitespace();
        let first = words.next().unwrap_or_default();
        if first.eq_ignore_ascii_case("AUTH") {
            let mechanism = words.next().unwrap_or_default();
            let secret = words.next().map(|_| format!(" {SECRET}")).unwrap_or_default();
            return format!("AUTH {mechanism}{secret}");
        }
        line.chars().take(SHOWN).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Way::{Received, Sent};

    #[test]
    fn passwords_are_not_shown_however_they_come() {
        let mut lines = Lines::new(Received);
        assert_eq!(
            lines.feed(Received, b"auth plain AGFsaWNlAHNlY3JldA==\r\n"),
            ["AUTH plain (not shown)"]
        );
        assert_eq!(lines.feed(Received, b"AUTH LOGIN\r\n"), ["AUTH LOGIN"]);
        assert_eq!(lines.feed(Sent, b"334 VXNlcm5hbWU6\r\n").len(), 1);
        assert_eq!(lines.feed(Received, b"YWxp"), [""; 0]);
        assert_eq!(lines.feed(Received, b"Y2U=\r\n"), ["(not shown)"]);
        assert_eq!(lines.feed(Sent, b"334 UGFzc3dvcmQ6\r\n").len(), 1);
        assert_eq!(lines.feed(Received, b"c2VjcmV0\r\n"), ["(not shown)"]);
        lines.feed(Sent, b"235 2.7.0 authenticated\r\n");
        assert_eq!(lines.feed(Received, b"MAIL FROM:<>\r\n"), ["MAIL FROM:<>"]);
    }

    #[test]
    fn octets_without_a_line_end_are_bounded() {
        let mut lines = Lines::new(Sent);
        for _ in 0..100 {
            assert!(lines.feed(Sent, &[b'x'; 1000]).is_empty());
        }
        assert!(lines.sent.len() <= SHOWN);
    }
}
