//! Reading a note.

use super::date::{DateOrder, NoteDate};
use super::heading::{self, Field, Keyword, is_separator, strip};
use super::person::{Person, read_people, read_person};
use super::{CopiesFrom, Note, NoteError};
use crate::Place;
use crate::limits::{MAX_HEADING_LINE, MAX_HEADING_LINES};

/// Whose note it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NoteForm {
    /// CMS: a blank line ends the heading.
    #[default]
    Cms,
    /// PROFS and OfficeVision/VM: a row of dashes does, or the subject.
    Profs,
}

/// Where a release of OfficeVision puts the list of copies (Q182279).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Release {
    /// At the foot of the note.
    One,
    /// In the heading, behind `To:`.
    #[default]
    Two,
}

/// What the link says about its notes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NoteRules {
    /// The form.
    pub form: NoteForm,
    /// OfficeVision's release.
    pub release: Release,
    /// The order of dates in numbers.
    pub order: DateOrder,
    /// The line under the subject, if it is no row of dashes (`lastline`).
    pub last_line: Option<String>,
}

/// Reads a note from its lines (see [`crate::read_lines`]). A place's record is
/// the number of the line.
///
/// # Errors
/// [`NoteError`]. Text with a heading that is odd is a note; only text without
/// any is none.
pub fn read(lines: &[String], rules: &NoteRules) -> Result<Note, NoteError> {
    let start = lines.iter().position(|line| !line.trim().is_empty()).ok_or(NoteError::Empty)?;
    let (fields, text_at) = match rules.form {
        NoteForm::Cms => cms_heading(lines, start)?,
        NoteForm::Profs => profs_heading(lines, start, rules)?,
    };
    if fields.is_empty() {
        return Err(NoteError::NoHeading(Place::start(start)));
    }
    let mut note = Note::default();
    for field in fields {
        take(&mut note, field, rules.order);
    }
    note.text = lines.get(text_at..).unwrap_or_default().to_vec();
    let end = note.text.iter().rposition(|line| !line.trim().is_empty());
    note.text.truncate(end.map_or(0, |at| at.saturating_add(1)));
    if rules.release == Release::One && note.copies.is_empty() {
        foot(&mut note);
    }
    Ok(note)
}

/// Takes a line into the fields; whether it belonged to the heading.
fn take_line(fields: &mut Vec<Field>, line: &str) -> bool {
    let shown: String = line.chars().take(MAX_HEADING_LINE).collect();
    if shown.len() < line.len() {
        return false;
    }
    if let Some(field) = heading::field(line) {
        fields.push(field);
        return true;
    }
    let goes_on = line.starts_with(' ') && !line.trim().is_empty();
    match fields.last_mut().filter(|_| goes_on) {
        Some(last) => {
            last.value.push('\n');
            last.value.push_str(line.trim());
            true
        }
        None => false,
    }
}

fn cms_heading(lines: &[String], start: usize) -> Result<(Vec<Field>, usize), NoteError> {
    let mut fields = Vec::new();
    for (at, line) in lines.iter().enumerate().skip(start) {
        if at.saturating_sub(start) >= MAX_HEADING_LINES {
            return Err(NoteError::HeadingTooLong(Place::start(at)));
        }
        // The editor's file has its options first, and blank lines behind them.
        let only_options = fields.iter().all(|field: &Field| field.keyword == Keyword::Options);
        if line.trim().is_empty() {
            if only_options && !fields.is_empty() {
                continue;
            }
            return Ok((fields, at.saturating_add(1)));
        }
        if !take_line(&mut fields, line) {
            return Ok((fields, at));
        }
    }
    Ok((fields, lines.len()))
}

/// Up to the separator, if nothing but heading stands before it; else up to the
/// subject, as in notes that a gateway passed on (Q107105).
fn profs_heading(
    lines: &[String],
    start: usize,
    rules: &NoteRules,
) -> Result<(Vec<Field>, usize), NoteError> {
    let mut fields: Vec<Field> = Vec::new();
    let mut subject_ends: Option<(usize, usize)> = None;
    for (at, line) in lines.iter().enumerate().skip(start) {
        if at.saturating_sub(start) >= MAX_HEADING_LINES {
            match subject_ends {
                Some(_) => break,
                None => return Err(NoteError::HeadingTooLong(Place::start(at))),
            }
        }
        if is_separator(line, rules.last_line.as_deref()) {
            return Ok((fields, at.saturating_add(1)));
        }
        if line.trim().is_empty() {
            continue;
        }
        if !take_line(&mut fields, line) {
            break;
        }
        let subject = fields.last().is_some_and(|field| field.keyword == Keyword::Subject);
        if subject && subject_ends.is_none_or(|(count, _)| count == fields.len()) {
            subject_ends = Some((fields.len(), at.saturating_add(1)));
        }
    }
    // No separator: what follows the subject's lines is text.
    if let Some((count, at)) = subject_ends {
        fields.truncate(count);
        return Ok((fields, at));
    }
    let mut fields = Vec::new();
    for (at, line) in lines.iter().enumerate().skip(start) {
        if line.trim().is_empty() || !take_line(&mut fields, line) {
            return Ok((fields, at));
        }
    }
    Ok((fields, lines.len()))
}

fn take(note: &mut Note, field: Field, order: DateOrder) {
    let value = field.value.as_str();
    match field.keyword {
        Keyword::Date => note.date = Some(NoteDate::read(value, order)),
        Keyword::From => from(note, value, order),
        Keyword::To => note.to.extend(read_people(value)),
        Keyword::Copies => note.copies.extend(read_people(value)),
        Keyword::Subject => note.subject = value.replace('\n', " "),
        Keyword::ReplyTo => note.reply_to = read_person(value),
        Keyword::Options => note.acknowledge = Some(acknowledge(value)),
        Keyword::Message => message(note, value, order),
        Keyword::Other => note.others.push((field.word, field.value)),
    }
}

/// The first `ACK` or `NOACK` counts.
fn acknowledge(options: &str) -> bool {
    let mut words = options.split_ascii_whitespace();
    words.find_map(|word| match word.to_ascii_uppercase().as_str() {
        "ACK" => Some(true),
        "NOACK" => Some(false),
        _ => None,
    }) == Some(true)
}

/// The sender, behind whom the date can stand (Q115457). A field without a value
/// takes nothing back.
fn from(note: &mut Note, value: &str, order: DateOrder) {
    const LABEL: &str = "date and time";
    let lower = value.to_ascii_lowercase();
    let (person, date) = match lower.find(LABEL) {
        Some(at) => (
            value.get(..at).unwrap_or_default(),
            value.get(at.saturating_add(LABEL.len())..).unwrap_or_default().trim_start_matches(':'),
        ),
        None => (value, ""),
    };
    if let Some(person) = read_person(person) {
        note.from = Some(person);
    }
    if !date.trim().is_empty() {
        note.date = Some(NoteDate::read(date, order));
    }
}

/// `JOHNDOE --VMSP6    TO: ADMIN   --PROFS30  05/13/93  22:27:06` (Q107105). The
/// recipient is the one of this copy, and stands in the heading again.
fn message(note: &mut Note, value: &str, order: DateOrder) {
    let upper = value.to_ascii_uppercase();
    let (sender, rest) = match upper.find(" TO:") {
        Some(at) => (
            value.get(..at).unwrap_or_default(),
            value.get(at.saturating_add(4)..).unwrap_or_default(),
        ),
        None => (value, ""),
    };
    note.from = read_person(sender);
    let date = NoteDate::read(rest, order);
    if date.local.is_some() {
        let words: Vec<&str> = rest.split_whitespace().collect();
        let numbers = words.iter().position(|word| super::read_date(word, order).is_some());
        let text = numbers.and_then(|at| words.get(at..)).unwrap_or_default().join(" ");
        note.date = Some(NoteDate { text, ..date });
    }
}

/// The list of copies at the foot of a note of release 1: the last block of lines
/// that begins with `cc:` and is followed by nothing. Each note that was sent on
/// has its own list behind its text, so of as many lists as forwarded notes none
/// is this note's (Q176680, Q182279).
fn foot(note: &mut Note) {
    let lists = note.text.iter().filter(|line| strip(line, "cc:").is_some()).count();
    let forwarded = note.text.iter().filter(|line| is_forwarded(line)).count();
    if lists <= forwarded {
        return;
    }
    let last = note.text.iter().rposition(|line| strip(line, "cc:").is_some());
    let Some(at) = last else { return };
    let block = note.text.get(at..).unwrap_or_default();
    let only_list = block.iter().skip(1).all(|line| line.starts_with(' '));
    let apart = at.checked_sub(1).and_then(|before| note.text.get(before));
    if !only_list || apart.is_some_and(|line| !line.trim().is_empty()) {
        return;
    }
    let field = block.join("\n");
    note.copies = read_people(strip(&field, "cc:").unwrap_or_default());
    note.copies_from = CopiesFrom::Foot;
    note.text.truncate(at);
    let end = note.text.iter().rposition(|line| !line.trim().is_empty());
    note.text.truncate(end.map_or(0, |at| at.saturating_add(1)));
}

/// Whether a note that is sent on begins with this line.
fn is_forwarded(line: &str) -> bool {
    let line = line.trim_start_matches(['*', ' ']);
    strip(line, "forwarding note from").is_some() || strip(line, "MSG:FROM:").is_some()
}

impl Note {
    /// Everybody whom the heading names, `to` first.
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.to.iter().chain(&self.copies)
    }
}
