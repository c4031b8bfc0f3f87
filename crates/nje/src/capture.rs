//! What went over a connection, as a file of text: to be looked at, sent with a
//! report, and played again.
//!
//! One line for each piece that was read or written: milliseconds since the start,
//! `>` (sent by the one who connected) or `<` (sent by the other), and the octets
//! in hexadecimal, all with one blank between. Before them may stand whose
//! connection it is: `= opened OPENER LISTENER` if the pieces begin with the control
//! records, `= under-way OPENER LISTENER` if they begin in the middle, with a TTB;
//! `= closed` is its end. Lines that begin with `#` are remarks. Passwords of the
//! sign-on are in it.

use crate::limits::MAX_CAPTURE_LINE;
use crate::text::Name;
use concord_base::{Fault, Retry};
use std::fmt::Write as _;

/// Who sent a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The end that connected.
    FromOpener,
    /// The end that listened.
    FromListener,
}

/// A piece of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapturePiece {
    /// Milliseconds since the start.
    pub millis: u64,
    /// Who sent it.
    pub direction: Direction,
    /// What.
    pub octets: Vec<u8>,
}

/// A line of a capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaptureLine {
    /// A connection begins.
    Begin {
        /// The node that opened it.
        opener: Name,
        /// The node that listened.
        listener: Name,
        /// What follows begins in its middle, for each end with a TTB.
        under_way: bool,
    },
    /// A piece of it.
    Piece(CapturePiece),
    /// The connection is over.
    End,
}

/// A line that is no piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the capture: {what}")]
pub struct CaptureError {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: &'static str,
}

impl Fault for CaptureError {
    fn code(&self) -> &'static str {
        "nje.capture"
    }

    fn retry(&self) -> Retry {
        Retry::Permanent
    }
}

impl CapturePiece {
    /// Its line, with what ends it.
    pub fn line(&self) -> String {
        let mark = match self.direction {
            Direction::FromOpener => '>',
            Direction::FromListener => '<',
        };
        let mut line = format!("{} {mark} ", self.millis);
        for octet in &self.octets {
            // A String takes whatever is written to it.
            let _ = write!(line, "{octet:02x}");
        }
        line.push('\n');
        line
    }

    fn parse(line: &str) -> Result<Self, &'static str> {
        if line.len() > MAX_CAPTURE_LINE {
            return Err("it is longer than a TTB can be");
        }
        let mut words = line.split(' ');
        let (time, mark, hex) = (words.next(), words.next(), words.next());
        let millis = time.and_then(|time| time.parse().ok()).ok_or("it begins with no time")?;
        let direction = match mark {
            Some(">") => Direction::FromOpener,
            Some("<") => Direction::FromListener,
            _ => return Err("its second word is neither > nor <"),
        };
        let hex = hex.unwrap_or_default().as_bytes();
        if words.next().is_some() || !hex.len().is_multiple_of(2) {
            return Err("its octets are not hexadecimal");
        }
        let octets = hex.chunks(2).map(octet).collect::<Option<_>>();
        Ok(Self { millis, direction, octets: octets.ok_or("its octets are not hexadecimal")? })
    }
}

impl CaptureLine {
    /// The line, with what ends it. Names are written so that blanks in them do
    /// no harm.
    pub fn text(&self) -> String {
        match self {
            Self::Begin { opener, listener, under_way } => {
                let word = if *under_way { "under-way" } else { "opened" };
                let name = |name: &Name| name.to_string().replace(char::is_whitespace, "_");
                format!("= {word} {} {}\n", name(opener), name(listener))
            }
            Self::Piece(piece) => piece.line(),
            Self::End => "= closed\n".to_owned(),
        }
    }

    fn parse(line: &str) -> Result<Self, &'static str> {
        let Some(rest) = line.strip_prefix("= ") else {
            return CapturePiece::parse(line).map(Self::Piece);
        };
        let words: Vec<&str> = rest.split(' ').collect();
        let name = |text: &str| Name::new(text).map_err(|_| "it names no node");
        match words[..] {
            ["closed"] => Ok(Self::End),
            [word @ ("opened" | "under-way"), opener, listener] => Ok(Self::Begin {
                opener: name(opener)?,
                listener: name(listener)?,
                under_way: word == "under-way",
            }),
            _ => Err("its first word is not known"),
        }
    }
}

fn octet(digits: &[u8]) -> Option<u8> {
    let [high, low] = digits else { return None };
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok());
    Some((digit(*high)? << 4) | digit(*low)?)
}

/// Reads a capture; gives its pieces.
pub fn read_capture(text: &str) -> Result<Vec<CapturePiece>, CaptureError> {
    let lines = read_capture_lines(text)?.into_iter();
    let piece = |line| match line {
        CaptureLine::Piece(piece) => Some(piece),
        _ => None,
    };
    Ok(lines.filter_map(piece).collect())
}

/// Reads a capture; gives all but the remarks.
pub fn read_capture_lines(text: &str) -> Result<Vec<CaptureLine>, CaptureError> {
    let lines = text.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let parse = |(index, line): (usize, &str)| {
        CaptureLine::parse(line)
            .map_err(|what| CaptureError { line: index.saturating_add(1), what })
    };
    lines.map(parse).collect()
}

pub(crate) fn fuzz(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(lines) = read_capture_lines(text) else { return };
    let again: String = lines.iter().map(CaptureLine::text).collect();
    assert_eq!(read_capture_lines(&again).as_ref(), Ok(&lines), "a capture comes back");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back() {
        let piece = |millis, direction, octets: &[u8]| CapturePiece {
            millis,
            direction,
            octets: octets.to_vec(),
        };
        let pieces =
            [piece(0, Direction::FromOpener, b"\x00\xff"), piece(12, Direction::FromListener, b"")];
        let text: String = pieces.iter().map(CapturePiece::line).collect();
        assert_eq!(text, "0 > 00ff\n12 < \n");
        assert_eq!(read_capture(&format!("# a remark\n\n{text}")).unwrap(), pieces);
    }

    #[test]
    fn whose_connection_it_is_comes_back() {
        let (opener, listener) = (Name::new("NODEA").unwrap(), Name::new("NODEB").unwrap());
        let begin = |under_way| CaptureLine::Begin { opener, listener, under_way };
        let lines = [begin(false), CaptureLine::End, begin(true)];
        let text: String = lines.iter().map(CaptureLine::text).collect();
        assert_eq!(text, "= opened NODEA NODEB\n= closed\n= under-way NODEA NODEB\n");
        assert_eq!(read_capture_lines(&text).unwrap(), lines);
        assert_eq!(read_capture(&text).unwrap(), []);
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (text, line) in [
            ("#\n0 > 0", 2),
            ("x > 00", 1),
            ("0 = 00", 1),
            ("0 > 0g", 1),
            ("0 > 00 00", 1),
            ("= opened A", 1),
            ("= begun A B", 1),
        ] {
            assert_eq!(read_capture(text).unwrap_err().line, line, "{text}");
        }
    }
}
