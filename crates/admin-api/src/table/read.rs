//! From text to lines.

use super::cell::Cell;
use super::columns::Column;
use std::collections::BTreeMap;
use std::fmt;

/// What a line does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Adds an object; an error if it is there.
    Create,
    /// Changes an object; an error if it is not there.
    Modify,
    /// Changes an object, or adds it.
    Update,
    /// Removes an object; an error if it is not there.
    Delete,
}

/// A line of the table without mistakes in its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number in the text, from 1.
    pub number: u64,
    /// The path of its kind in the API: `/v1/mailboxes`.
    pub path: &'static str,
    /// The kind: `mailbox`.
    pub kind: &'static str,
    /// What it does.
    pub mode: Mode,
    /// Whom it is about.
    pub name: String,
    pub(super) cells: BTreeMap<Column, Cell>,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineError {
    /// Its number, from 1.
    pub number: u64,
    /// All that is wrong.
    pub causes: Vec<String>,
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.number, self.causes.join("; "))
    }
}

/// Reads a table. Lines with mistakes come back as such, the others as they
/// are.
///
/// # Errors
/// The line with the columns' names is not there or has mistakes: then nothing
/// can be read.
pub fn read(text: &str) -> Result<(Vec<Line>, Vec<LineError>), LineError> {
    let mut table = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let columns = columns(&mut table)?;
    let (mut lines, mut mistakes) = (Vec::new(), Vec::new());
    let mut place = Place { text: text.as_bytes(), at: 0, line: 1 };
    for record in table.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let number = place.line_of(error.position());
                mistakes.push(LineError { number, causes: vec![error.to_string()] });
                continue;
            }
        };
        let number = place.line_of(record.position());
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        match line(number, &columns, &record) {
            Ok(line) => lines.push(line),
            Err(causes) => mistakes.push(LineError { number, causes }),
        }
    }
    Ok((lines, mistakes))
}

/// Counts lines. The reader's own count is one behind where lines end in CR LF.
struct Place<'t> {
    text: &'t [u8],
    at: usize,
    line: u64,
}

impl Place<'_> {
    fn line_of(&mut self, position: Option<&csv::Position>) -> u64 {
        let byte = position.map_or(self.at, |p| usize::try_from(p.byte()).unwrap_or(self.at));
        let start = self.text.get(byte..).unwrap_or_default();
        let ends = start.iter().take_while(|c| matches!(c, b'\r' | b'\n')).count();
        let passed = self.text.get(self.at..byte.saturating_add(ends)).unwrap_or_default();
        self.line += passed.iter().map(|c| u64::from(*c == b'\n')).sum::<u64>();
        self.at = self.at.max(byte.saturating_add(ends));
        self.line
    }
}

fn columns(table: &mut csv::Reader<&[u8]>) -> Result<Vec<Column>, LineError> {
    let head = table.headers().map_err(|e| LineError { number: 1, causes: vec![e.to_string()] })?;
    let mut causes = Vec::new();
    let mut columns = Vec::with_capacity(head.len());
    for name in head {
        let name = name.trim_start_matches('\u{feff}');
        match Column::find(name) {
            Some(column) if columns.contains(&column) => {
                causes.push(format!("the column '{name}' is there twice"));
            }
            Some(column) => columns.push(column),
            None => causes.push(format!(
                "there is no column '{name}'; there are {}",
                Column::names().join(", ")
            )),
        }
    }
    for (needed, name) in [(Column::Class, "Obj-Class"), (Column::Name, "Directory Name")] {
        if causes.is_empty() && !columns.contains(&needed) {
            causes.push(format!("the column '{name}' is missing"));
        }
    }
    if causes.is_empty() { Ok(columns) } else { Err(LineError { number: 1, causes }) }
}

fn line(number: u64, columns: &[Column], record: &csv::StringRecord) -> Result<Line, Vec<String>> {
    let mut causes = Vec::new();
    if record.len() > columns.len() {
        causes.push(format!(
            "it has {} cells, and there are {} columns",
            record.len(),
            columns.len()
        ));
    }
    let mut cells = BTreeMap::new();
    for (column, text) in columns.iter().zip(record) {
        cells.extend(Cell::read(text, column.is_many()).map(|cell| (*column, cell)));
    }
    let word = |column| cells.get(&column).and_then(Cell::single).unwrap_or_default().to_owned();
    let kind = kind(&word(Column::Class));
    if kind.is_none() {
        causes.push(format!(
            "Obj-Class '{}' is not mailbox, contact (Remote), list (dl), public-folder, resource \
             or container",
            word(Column::Class)
        ));
    }
    let mode = mode(&word(Column::Mode));
    if mode.is_none() {
        causes
            .push(format!("Mode '{}' is not Create, Modify, Update or Delete", word(Column::Mode)));
    }
    let name = word(Column::Name);
    // Q176741: '~DEL' there made a user '?DEL'.
    if name.is_empty() {
        causes.push("its Directory Name is empty or says what to delete; write a name".to_owned());
    }
    for column in [Column::Class, Column::Mode, Column::Name] {
        cells.remove(&column);
    }
    match (kind, mode) {
        (Some((kind, path)), Some(mode)) if causes.is_empty() => {
            Ok(Line { number, path, kind, mode, name, cells })
        }
        _ => Err(causes),
    }
}

fn kind(word: &str) -> Option<(&'static str, &'static str)> {
    Some(match word.to_ascii_lowercase().as_str() {
        "mailbox" => ("mailbox", "/v1/mailboxes"),
        "contact" | "remote" | "custom recipient" => ("contact", "/v1/contacts"),
        "list" | "dl" | "distribution list" => ("list", "/v1/lists"),
        "public-folder" | "public folder" => ("public-folder", "/v1/public-folders"),
        "resource" => ("resource", "/v1/resources"),
        "container" => ("container", "/v1/containers"),
        _ => return None,
    })
}

fn mode(word: &str) -> Option<Mode> {
    Some(match word.to_ascii_lowercase().as_str() {
        "" | "update" => Mode::Update,
        "create" => Mode::Create,
        "modify" => Mode::Modify,
        "delete" => Mode::Delete,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_read_and_every_mistake_is_told() {
        let text = "Obj-Class,Mode,Directory Name,First Name,E-mail Addresses\r\n\
                    Mailbox,,jane,Jane,SMTP:jane@a.test%smtp:j@a.test\r\n\
                    \r\n\
                    remote,create,far,\"a, b\",\r\n\
                    dl,destroy,,,\r\n\
                    thing,,x,,\r\n";
        let (lines, mistakes) = read(text).unwrap();
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].kind, lines[0].mode, lines[0].number), ("mailbox", Mode::Update, 2));
        assert_eq!((lines[1].kind, lines[1].mode), ("contact", Mode::Create));
        assert_eq!(mistakes.len(), 2);
        assert!(mistakes[0].to_string().contains("line 5") && mistakes[0].causes.len() == 2);
    }

    /// T97: Q176741.
    #[test]
    fn what_deletes_is_no_name() {
        let (lines, mistakes) = read("Obj-Class,Directory Name\nmailbox,~DEL\n").unwrap();
        assert!(lines.is_empty());
        assert!(mistakes[0].to_string().contains("Directory Name"), "{mistakes:?}");
    }

    #[test]
    fn a_head_with_mistakes_is_no_table() {
        assert!(read("").is_err());
        assert!(read("Obj-Class,Shoe Size\n").unwrap_err().to_string().contains("Shoe Size"));
        assert!(read("Mode\nUpdate\n").unwrap_err().to_string().contains("is missing"));
        assert!(read("\u{feff}Obj-Class,Directory Name\n").is_ok());
    }
}
