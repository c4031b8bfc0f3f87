//! Writing a note.

use super::Note;
use super::person::{AddressStyle, Person};
use crate::limits::{MAX_HEADING_PEOPLE, RIGHT_MARGIN};

/// What stands between heading and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Separator {
    /// A blank line, as in CMS.
    Blank,
    /// A row of dashes to the margin.
    Dashes,
    /// A line of one's own (`lastline`, Q200472); cut at the margin, not
    /// repeated.
    Line(String),
}

/// How a note is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// How addresses stand in it.
    pub addresses: AddressStyle,
    /// What ends the heading.
    pub separator: Separator,
    /// Columns (`hostnoterightmargin`). Lines of text are broken when they are
    /// made records, see [`crate::write_lines`].
    pub margin: usize,
}

impl Layout {
    /// As CMS writes notes.
    pub const fn cms() -> Self {
        Self {
            addresses: AddressStyle::At,
            separator: Separator::Blank,
            margin: crate::limits::NOTE_LINE,
        }
    }

    /// For users of PROFS and OfficeVision.
    pub const fn profs() -> Self {
        Self { addresses: AddressStyle::Dashes, separator: Separator::Dashes, margin: RIGHT_MARGIN }
    }
}

impl Note {
    /// The note's lines. The heading's are not longer than the margin; blind
    /// copies are nobody's business and are not in a note (Q178082).
    pub fn write(&self, layout: &Layout) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(date) = &self.date {
            push(&mut lines, "Date:", std::slice::from_ref(&date.text), layout.margin);
        }
        let people = |all: &[Person]| -> Vec<String> {
            let shown = all.iter().take(MAX_HEADING_PEOPLE);
            shown.map(|one| one.shown(layout.addresses)).filter(|text| !text.is_empty()).collect()
        };
        let from: Vec<Person> = self.from.iter().cloned().collect();
        let reply_to: Vec<Person> = self.reply_to.iter().cloned().collect();
        push(&mut lines, "From:", &people(&from), layout.margin);
        push(&mut lines, "Reply-to:", &people(&reply_to), layout.margin);
        push(&mut lines, "To:", &people(&self.to), layout.margin);
        push(&mut lines, "cc:", &people(&self.copies), layout.margin);
        for (word, value) in &self.others {
            push(&mut lines, &format!("{word}:"), &[value.replace('\n', " ")], layout.margin);
        }
        // PROFS notes need one to know where the text begins.
        if !self.subject.is_empty() || layout.separator != Separator::Blank {
            push(&mut lines, "Subject:", std::slice::from_ref(&self.subject), layout.margin);
        }
        lines.push(match &layout.separator {
            Separator::Blank => String::new(),
            Separator::Dashes => "-".repeat(layout.margin),
            Separator::Line(line) => line.chars().take(layout.margin).collect(),
        });
        lines.extend(self.text.iter().cloned());
        lines
    }
}

/// Where values stand.
const INDENT: usize = 6;

/// A field with a value a line, each broken at blanks before the margin.
fn push(lines: &mut Vec<String>, word: &str, values: &[String], margin: usize) {
    let room = margin.saturating_sub(INDENT.max(word.len().saturating_add(1))).max(1);
    for (number, value) in values.iter().enumerate() {
        let value: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        for (piece_number, piece) in pieces(value.trim(), room).into_iter().enumerate() {
            let begins = number == 0 && piece_number == 0;
            let lead = if begins { word } else { "" };
            let gap = if begins && word.len() >= INDENT { " " } else { "" };
            lines.push(format!("{lead:<INDENT$}{gap}{piece}").trim_end().to_owned());
        }
    }
}

/// A value in pieces; one of words that are longer than the room is cut.
fn pieces(value: &str, room: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for word in value.split_inclusive(' ') {
        let mut word: Vec<char> = word.chars().collect();
        while let Some(last) = pieces.last_mut() {
            let used = last.chars().count();
            let length = word.iter().rposition(|c| *c != ' ').map_or(0, |at| at.saturating_add(1));
            if used.saturating_add(length) <= room {
                last.extend(word);
                break;
            }
            if used > 0 {
                pieces.push(String::new());
                continue;
            }
            let rest = word.split_off(room.min(word.len()));
            last.extend(word);
            word = rest;
            pieces.push(String::new());
        }
    }
    pieces.retain(|piece| !piece.trim().is_empty());
    if pieces.is_empty() {
        pieces.push(String::new());
    }
    pieces.iter().map(|piece| piece.trim_end().to_owned()).collect()
}
