//! Lines of text as records, and back.
//!
//! Hosts have no line ends and no tabs: a line is a record, and a tab moves to the
//! next stop of [`TAB`]. A record has at least one blank, since one without octets
//! ends a file in NJE.

use crate::Records;
use crate::limits::TAB;
use concord_ebcdic::{CodePage, EbcdicError, Substitution, Unsaid};

/// How text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextRules {
    /// The host's code page.
    pub page: CodePage,
    /// What stands for characters that it does not have.
    pub substitution: Substitution,
    /// Columns of a line. Longer ones are broken at a blank, or where there is
    /// none, at the last column. 0 is taken as 1.
    pub columns: usize,
}

/// Text as records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WrittenText {
    /// One record a line.
    pub records: Records,
    /// What the page does not have; places are characters of the whole text, its
    /// line ends not counted.
    pub unsaid: Unsaid,
    /// How many lines were longer than the columns.
    pub broken: usize,
}

/// Writes lines as records.
///
/// # Errors
/// A character that the page does not have, if the rules refuse any.
pub fn write_lines<'a>(
    lines: impl IntoIterator<Item = &'a str>,
    rules: &TextRules,
) -> Result<WrittenText, EbcdicError> {
    let mut written = WrittenText::default();
    let mut before = 0_usize;
    for line in lines {
        let said = rules.page.encode(&printable(line), rules.substitution)?;
        written.unsaid.merge(&said.unsaid, before);
        before = before.saturating_add(line.chars().count());
        let blank = rules.page.octet(' ').unwrap_or(0x40);
        let pieces = broken(&said.octets, rules.columns, blank);
        if pieces.len() > 1 {
            written.broken = written.broken.saturating_add(1);
        }
        for piece in pieces {
            written.records.push(if piece.is_empty() { &[0x40] } else { piece });
        }
    }
    Ok(written)
}

/// The lines of a text of the Internet, whatever ends them.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    // One line end of two characters is one line end.
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    text.split('\n').flat_map(|line| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        line.split(['\r', '\u{85}', '\u{0B}', '\u{0C}', '\u{2028}', '\u{2029}'])
    })
}

/// Reads records as lines, without the blanks behind them. Controls other than
/// tabs, which terminals obey, become blanks; a line end within a record ends the
/// line.
pub fn read_lines(records: &Records, page: CodePage) -> Vec<String> {
    let mut read = Vec::with_capacity(records.len());
    for record in records.iter() {
        let text = page.decode(record);
        read.extend(text.split(['\n', '\u{85}']).map(|line| printable(line).trim_end().to_owned()));
    }
    read
}

/// A line with its tabs expanded and other controls made blanks.
pub(crate) fn printable(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut column = 0_usize;
    for character in line.chars() {
        if character == '\t' {
            let width = TAB.saturating_sub(column % TAB);
            text.extend(std::iter::repeat_n(' ', width));
            column = column.saturating_add(width);
            continue;
        }
        text.push(if character.is_control() { ' ' } else { character });
        column = column.saturating_add(1);
    }
    text
}

/// A line in pieces of so many columns, none of which begins with the blank that
/// it was broken at.
fn broken(line: &[u8], columns: usize, blank: u8) -> Vec<&[u8]> {
    let columns = columns.max(1);
    let end = line.iter().rposition(|octet| *octet != blank).map_or(0, |at| at.saturating_add(1));
    let mut rest = line.get(..end).unwrap_or_default();
    let mut pieces = Vec::new();
    while rest.len() > columns {
        // The blank behind a word that just fits may stand in the next column.
        let reach = rest.get(..=columns).unwrap_or(rest);
        let text = reach.iter().position(|octet| *octet != blank).unwrap_or(0);
        let at = reach.iter().rposition(|octet| *octet == blank).filter(|at| *at > text);
        let (piece, left) = match at {
            Some(at) => (rest.get(..at), rest.get(at.saturating_add(1)..)),
            None => (rest.get(..columns), rest.get(columns..)),
        };
        pieces.push(piece.unwrap_or_default());
        rest = left.unwrap_or_default();
    }
    pieces.push(rest);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use CodePage::{Cp037, Cp273};

    fn written(text: &str, columns: usize) -> Vec<String> {
        let rules = TextRules { page: Cp273, substitution: Substitution::Transliterate, columns };
        let written = write_lines(lines(text), &rules).unwrap();
        written.records.iter().map(|record| Cp273.decode(record)).collect()
    }

    #[test]
    fn tabs_move_to_the_next_stop_of_eight() {
        assert_eq!(
            written("a\tb\tc\n\td\n12345678\te", 80),
            ["a       b       c", "        d", "12345678        e",]
        );
    }

    #[test]
    fn long_lines_are_broken_at_blanks_and_long_words_at_the_last_column() {
        assert_eq!(written("one two three", 7), ["one two", "three"]);
        assert_eq!(written("onetwothree four", 5), ["onetw", "othre", "e", "four"]);
        assert_eq!(written("  indented", 5), ["  ind", "ented"]);
        assert_eq!(written("€€€", 6), ["EUREUR", "EUR"]);
    }

    #[test]
    fn an_empty_line_is_one_blank_and_never_the_end_of_the_file() {
        assert_eq!(written("a\r\n\r\nb\r\n", 80), ["a", " ", "b"]);
        assert_eq!(written("", 80), [" "]);
        assert_eq!(written("     ", 80), [" "]);
    }

    #[test]
    fn controls_neither_ring_bells_nor_move_cursors() {
        assert_eq!(written("a\u{7}b\u{1b}[2J", 80), ["a b [2J"]);
        let odd: Records =
            [&[0xC1_u8, 0x05, 0xC2][..], &[0xC1, 0x15, 0xC2, 0x2F]].into_iter().collect();
        assert_eq!(read_lines(&odd, Cp037), ["A       B", "A", "B"]);
    }

    #[test]
    fn characters_that_are_replaced_are_told_with_their_places() {
        let rules =
            TextRules { page: Cp273, substitution: Substitution::Transliterate, columns: 80 };
        let told = write_lines(lines("ab\nc漢"), &rules).unwrap().unsaid;
        assert_eq!((told.count, told.lost), (1, 1));
        assert_eq!(told.characters.first().map(|one| one.at), Some(3));
    }

    proptest::proptest! {
        #[test]
        fn no_character_that_prints_is_lost_by_breaking(
            text in "[a-zäöü \t]{0,300}", columns in 1_usize..100,
        ) {
            let pieces = written(&text, columns);
            proptest::prop_assert!(pieces.iter().all(|piece| piece.chars().count() <= columns));
            let solid = |text: &str| text.split_whitespace().collect::<String>();
            proptest::prop_assert_eq!(solid(&pieces.concat()), solid(&text));
        }
    }
}
