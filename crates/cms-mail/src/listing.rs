//! Listings: print files, whose records say how the carriage moves.

use crate::Records;
use concord_ebcdic::CodePage;

/// What stands before the data of a print record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum CarriageControl {
    /// Nothing.
    #[default]
    None,
    /// A channel command of the printer (machine code).
    Machine,
    /// A character of the American standard: executed before the line is
    /// printed.
    Asa,
}

/// Lines that the carriage moves on by one command at most; the codes do not
/// allow more.
const MAX_SPACES: usize = 3;

/// Prints records to lines, without the blanks behind them. A new page begins
/// with a form feed. Every record is printed; one that is printed over another
/// fills its blanks, and where both print something other, it follows on a line
/// of its own (Q254916: the record after it was lost).
pub fn print(records: &Records, control: CarriageControl, page: CodePage) -> Vec<String> {
    let mut printer = Printer::default();
    for record in records.iter() {
        match control {
            CarriageControl::None => {
                printer.line(&page.decode(record));
                printer.space(1);
            }
            CarriageControl::Asa => asa(&mut printer, record, page),
            CarriageControl::Machine => machine(&mut printer, record, page),
        }
    }
    printer.end()
}

fn asa(printer: &mut Printer, record: &[u8], page: CodePage) {
    let (code, data) = split(record);
    match code.map(|code| page.character(code)) {
        Some('+') => {}
        Some('0') => printer.space(2),
        Some('-') => printer.space(MAX_SPACES),
        Some('1') => printer.page(),
        // A blank, other channels, and what is no code at all: the next line.
        _ => printer.space(1),
    }
    printer.line(&page.decode(data));
}

fn machine(printer: &mut Printer, record: &[u8], page: CodePage) {
    let (code, data) = split(record);
    let code = code.unwrap_or(0x09);
    // Bit 6 on and bit 7 on: the carriage moves at once and nothing is printed.
    let prints = code & 0b11 != 0b11;
    let text = page.decode(data);
    if prints || !text.trim().is_empty() {
        printer.line(&text);
    }
    match code >> 3 {
        0 => {}
        spaces @ 1..=3 => printer.space(usize::from(spaces)),
        // Skips to a channel: the first is the top of the page.
        0b1_0001 => printer.page(),
        _ => printer.space(1),
    }
}

fn split(record: &[u8]) -> (Option<u8>, &[u8]) {
    match record.split_first() {
        Some((code, data)) => (Some(*code), data),
        None => (None, &[]),
    }
}

#[derive(Default)]
struct Printer {
    lines: Vec<String>,
    /// Lines printed where the carriage stands: one, or what could not be
    /// printed over it.
    current: Vec<String>,
    new_page: bool,
    begun: bool,
}

impl Printer {
    /// Prints where the carriage stands.
    fn line(&mut self, text: &str) {
        self.begun = true;
        let text = text.replace(|character: char| character.is_control(), " ");
        let text = text.trim_end();
        match self.current.last_mut() {
            Some(under) => match over(under, text) {
                Some(both) => *under = both,
                None => self.current.push(text.to_owned()),
            },
            None => self.current.push(text.to_owned()),
        }
    }

    fn feed(&mut self) {
        let mut lines = std::mem::take(&mut self.current);
        if lines.is_empty() {
            lines.push(String::new());
        }
        if std::mem::take(&mut self.new_page)
            && let Some(first) = lines.first_mut()
        {
            first.insert(0, '\u{0C}');
        }
        self.lines.append(&mut lines);
    }

    fn space(&mut self, lines: usize) {
        // The first command finds the carriage at the first line.
        if !self.begun {
            self.begun = true;
            for _ in 1..lines {
                self.feed();
            }
            return;
        }
        for _ in 0..lines {
            self.feed();
        }
    }

    fn page(&mut self) {
        if self.begun {
            self.feed();
            self.new_page = true;
        }
        self.begun = true;
    }

    fn end(mut self) -> Vec<String> {
        if !self.current.is_empty() || self.new_page {
            self.feed();
        }
        self.lines
    }
}

/// Two texts on one line; none if a column would have two different characters.
/// An underline gives way.
fn over(under: &str, text: &str) -> Option<String> {
    let (mut below, mut above) = (under.chars(), text.chars());
    let mut both = String::with_capacity(under.len().max(text.len()));
    loop {
        both.push(match (below.next(), above.next()) {
            (None, None) => return Some(both),
            (Some(one), None) | (None, Some(one)) => one,
            (Some(one), Some(other)) if one == other => one,
            (Some(' ' | '_'), Some(one)) | (Some(one), Some(' ' | '_')) => one,
            (Some(_), Some(_)) => return None,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CodePage::Cp037;
    use concord_ebcdic::Substitution;

    fn printed(lines: &[&str]) -> Vec<String> {
        let octets = |line: &&str| Cp037.encode(line, Substitution::Refuse).unwrap().octets;
        let records: Records = lines.iter().map(octets).collect();
        print(&records, CarriageControl::Asa, Cp037)
    }

    #[test]
    fn carriage_characters_space_lines_and_turn_pages() {
        assert_eq!(
            printed(&["1PAGE ONE", " second", "0after a blank line", "-after two", "1next"]),
            ["PAGE ONE", "second", "", "after a blank line", "", "", "after two", "\u{0C}next",]
        );
    }

    /// Q254916: the record after a `+` line was lost.
    #[test]
    fn a_line_that_is_printed_over_another_is_not_lost_nor_the_one_after_it() {
        assert_eq!(printed(&[" total", "+_____", " after"]), ["total", "after"]);
        assert_eq!(printed(&[" left", "+      right", " after"]), ["left  right", "after"]);
        assert_eq!(printed(&[" one", "+two", " after"]), ["one", "two", "after"]);
        assert_eq!(printed(&["+first", " after"]), ["first", "after"]);
    }

    #[test]
    fn machine_codes_space_after_the_line_and_at_once() {
        let record = |code: u8, text: &str| {
            let mut octets = vec![code];
            octets.extend(Cp037.encode(text, Substitution::Refuse).unwrap().octets);
            octets
        };
        let records: Records = [
            record(0x09, "one"),
            record(0x11, "two"),
            record(0x01, "under"),
            record(0x09, "_____"),
            record(0x0B, ""),
            record(0x89, "last of page"),
            record(0x09, "next page"),
        ]
        .into_iter()
        .collect();
        assert_eq!(
            print(&records, CarriageControl::Machine, Cp037),
            ["one", "two", "", "under", "", "last of page", "\u{0C}next page",]
        );
    }

    #[test]
    fn empty_records_and_odd_codes_print_as_lines() {
        assert_eq!(printed(&["", "", "?x"]), ["", "", "x"]);
        let odd: Records = [[].as_slice(), &[0xFF], &[0x09]].into_iter().collect();
        assert!(print(&odd, CarriageControl::Machine, Cp037).len() <= 3);
    }
}
