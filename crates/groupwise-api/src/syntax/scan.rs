//! The scanner.

use super::{Element, Field, FieldValue, Fields, Octets, SubField, SubValue, Unknown};
use crate::limits::{
    MAX_BLOCK, MAX_COMMENTS, MAX_LIST, MAX_NOTICES, MAX_OBJECTS, MAX_QUOTE, MAX_VALUE,
};
use crate::outcome::{Defect, Reason};
use crate::vocabulary::{self, ADDRESS, Keyword, Shape, Sub};

type Table = &'static [(&'static str, Sub)];
type Scanned<T> = Result<T, Defect>;

/// Cuts what stands before `-END-` into fields.
pub(crate) fn scan(header: &[u8]) -> Scanned<Fields> {
    let mut scanner = Scanner { data: header, at: 0, line: 1, found: Fields::default() };
    let mut objects = 0_usize;
    loop {
        scanner.skip_space();
        let line = scanner.line;
        let Some(octet) = scanner.peek() else { return Ok(scanner.found) };
        if octet == b';' {
            // One more than was needed; some writers close what is closed.
            scanner.at += 1;
            continue;
        }
        let Some(name) = scanner.word() else { return Err(scanner.bad(Reason::NoKeyword)) };
        let Some((keyword, shape)) = vocabulary::keyword(name) else {
            scanner.unknown(line, name, false);
            scanner.skip_unknown(name)?;
            continue;
        };
        let value = match shape {
            Shape::Flag => FieldValue::Flag,
            Shape::Text => FieldValue::Text(scanner.text(Within::Header)?),
            Shape::Addresses => FieldValue::List(scanner.list(ADDRESS, true)?),
            Shape::Blocks(table) => FieldValue::List(scanner.list(table, false)?),
        };
        if let FieldValue::List(elements) = &value {
            objects += elements.len();
        }
        if objects > MAX_OBJECTS || scanner.found.fields.len() >= MAX_OBJECTS {
            return Err(Defect { reason: Reason::TooMany, line });
        }
        scanner.found.fields.push(Field { keyword, line, value });
    }
}

struct Scanner<'a> {
    data: &'a [u8],
    at: usize,
    line: u32,
    found: Fields,
}

/// Where a value stands, which tells what ends it and what is suspicious.
#[derive(Clone, Copy)]
enum Within {
    Header,
    Block(Table),
    /// A dotted address in a list.
    List,
}

impl<'a> Scanner<'a> {
    fn bad(&self, reason: Reason) -> Defect {
        Defect { reason, line: self.line }
    }

    fn peek(&self) -> Option<u8> {
        self.data.get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.data.get(self.at..).unwrap_or_default()
    }

    fn at_margin(&self) -> bool {
        self.at.checked_sub(1).is_none_or(|before| self.data.get(before) == Some(&b'\n'))
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    /// Skips blanks, line ends and comments.
    fn skip_space(&mut self) {
        loop {
            if self.at_margin() {
                self.skip_comments();
            }
            match self.peek() {
                Some(b' ' | b'\t' | b'\r') => self.at += 1,
                Some(b'\n') => {
                    self.at += 1;
                    self.line = self.line.saturating_add(1);
                }
                _ => return,
            }
        }
    }

    /// Skips comment lines; stands at a margin before and after.
    fn skip_comments(&mut self) {
        while self.peek() == Some(b'#') {
            let rest = self.rest();
            let end = memchr::memchr(b'\n', rest);
            let text = rest.get(1..end.unwrap_or(rest.len())).unwrap_or_default().trim_ascii();
            if self.found.comments.len() < MAX_COMMENTS {
                let kept = text.get(..MAX_QUOTE.min(text.len())).unwrap_or_default();
                self.found.comments.push(kept.to_vec());
            }
            let Some(end) = end else {
                self.at = self.data.len();
                return;
            };
            self.at += end + 1;
            self.line = self.line.saturating_add(1);
        }
    }

    /// The word that begins here, without moving: its name, and where the
    /// value behind `=` begins. `-NAME-` needs no `=`.
    fn look_word(&self) -> Option<(&'a [u8], usize)> {
        let rest = self.rest();
        let length = rest.iter().position(|b| !(b.is_ascii_alphanumeric() || *b == b'-'));
        let name = rest.get(..length.unwrap_or(rest.len()))?;
        if name.len() > 2 && name.starts_with(b"-") && name.ends_with(b"-") {
            return Some((name, self.at + name.len()));
        }
        let behind = rest.get(name.len()..)?;
        let blanks = behind.iter().position(|b| !matches!(b, b' ' | b'\t'))?;
        if name.is_empty() || behind.get(blanks) != Some(&b'=') {
            return None;
        }
        Some((name, self.at + name.len() + blanks + 1))
    }

    fn word(&mut self) -> Option<&'a [u8]> {
        let (name, behind) = self.look_word()?;
        self.at = behind;
        Some(name)
    }

    fn unknown(&mut self, line: u32, name: &[u8], inside: bool) {
        if self.found.unknown.len() >= MAX_NOTICES {
            self.found.unknown_left_out += 1;
            return;
        }
        let keyword = name.get(..MAX_QUOTE.min(name.len())).unwrap_or_default().to_vec();
        self.found.unknown.push(Unknown { line, keyword, inside });
    }

    /// Skips what follows an unknown keyword: a value, or a block if the next
    /// line is indented and begins with a word.
    fn skip_unknown(&mut self, name: &[u8]) -> Scanned<()> {
        if name.starts_with(b"-") {
            return Ok(());
        }
        let begin = (self.at, self.line);
        self.skip_blanks();
        if self.peek() == Some(b'\n') {
            self.skip_space();
            if !self.at_margin() && self.look_word().is_some() {
                return self.skip_to_margin();
            }
            if self.at_margin() && self.look_word().is_some() {
                return Ok(());
            }
            (self.at, self.line) = begin;
        }
        self.text(Within::Header).map(drop)
    }

    /// Skips to the next word at the left margin.
    fn skip_to_margin(&mut self) -> Scanned<()> {
        loop {
            let Some(end) = memchr::memchr(b'\n', self.rest()) else {
                self.at = self.data.len();
                return Ok(());
            };
            self.at += end + 1;
            self.line = self.line.saturating_add(1);
            self.skip_comments();
            if !matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n' | b';' | b',')) {
                return Ok(());
            }
        }
    }

    /// Reads a value and what closes it. A `,` closes an element of a list and
    /// is left where it is.
    fn text(&mut self, within: Within) -> Scanned<Octets> {
        let begun = self.line;
        let not_closed = Defect { reason: Reason::ValueNotClosed, line: begun };
        let mut value = Octets::new();
        self.skip_blanks();
        let mut quoted = false;
        loop {
            let octet = self.peek().ok_or_else(|| not_closed.clone())?;
            match octet {
                b';' if !quoted => {
                    self.at += 1;
                    break;
                }
                b',' if !quoted && matches!(within, Within::List) => break,
                b'\n' => {
                    quoted = false;
                    self.next_line(within).ok_or_else(|| not_closed.clone())?;
                    trim_end(&mut value, b"\r");
                    if !value.is_empty() && value.last() != Some(&b'\n') {
                        value.push(b'\n');
                    }
                    continue;
                }
                b'"' if matches!(within, Within::List) => {
                    quoted = !quoted && self.quote_closes();
                    value.push(octet);
                }
                b'\\' => {
                    let next = self.data.get(self.at + 1).copied();
                    match next.filter(|n| matches!(n, b'\\' | b',' | b';')) {
                        Some(escaped) => {
                            value.push(escaped);
                            self.at += 1;
                        }
                        None => value.push(octet),
                    }
                }
                _ => value.push(octet),
            }
            self.at += 1;
            if value.len() > MAX_VALUE {
                return Err(self.bad(Reason::ValueTooLong));
            }
        }
        trim_end(&mut value, b" \t\r\n");
        Ok(value)
    }

    /// Goes on with a value in the next line. `None` if that looks like the
    /// next keyword.
    fn next_line(&mut self, within: Within) -> Option<()> {
        self.at += 1;
        self.line = self.line.saturating_add(1);
        self.skip_comments();
        if let Some((name, _)) = self.look_word()
            && vocabulary::keyword(name).is_some()
        {
            return None;
        }
        self.skip_blanks();
        let (Within::Block(table), Some((name, _))) = (within, self.look_word()) else {
            return Some(());
        };
        vocabulary::sub(table, name).is_none().then_some(())
    }

    /// Whether another quote follows in this line.
    fn quote_closes(&self) -> bool {
        let rest = self.rest().get(1..).unwrap_or_default();
        matches!(memchr::memchr2(b'"', b'\n', rest), Some(at) if rest.get(at) == Some(&b'"'))
    }

    /// Reads the elements of a list and the `;` that closes it.
    fn list(&mut self, table: Table, dotted: bool) -> Scanned<Vec<Element>> {
        let mut elements = Vec::new();
        let mut block = Vec::new();
        let mut closed = false;
        loop {
            self.skip_space();
            if elements.len() > MAX_LIST || block.len() > MAX_BLOCK {
                return Err(self.bad(Reason::TooMany));
            }
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    closed = false;
                    push_block(&mut elements, &mut block);
                    continue;
                }
                // A closed list goes on only behind a comma.
                None => break,
                Some(_) if closed => break,
                Some(b';') => {
                    self.at += 1;
                    closed = true;
                    continue;
                }
                Some(_) => {}
            }
            if self.next_keyword_here(table) {
                break;
            }
            if let Some(field) = self.sub_field(table, None)? {
                block.extend(field.known);
                continue;
            }
            if !dotted {
                return Err(self.bad(Reason::NoKeyword));
            }
            let text = self.text(Within::List)?;
            closed =
                self.data.get(self.at.wrapping_sub(1)) == Some(&b';') && self.peek() != Some(b',');
            push_block(&mut elements, &mut block);
            if !text.is_empty() {
                elements.push(Element::Plain(text));
            }
        }
        push_block(&mut elements, &mut block);
        Ok(elements)
    }

    /// Whether the word here begins the next field of the file: it stands at
    /// the margin and is not one of this block that lost its indentation.
    fn next_keyword_here(&self, table: Table) -> bool {
        if !self.at_margin() {
            return false;
        }
        let Some((name, _)) = self.look_word() else { return false };
        vocabulary::keyword(name).is_some() || vocabulary::sub(table, name).is_none()
    }

    /// Reads a sub-keyword and its value. `None` if there is none here, or one
    /// that belongs to the `outer` block.
    fn sub_field(&mut self, table: Table, outer: Option<Table>) -> Scanned<Option<SubRead>> {
        let line = self.line;
        let Some((name, behind)) = self.look_word() else { return Ok(None) };
        let Some(sub) = vocabulary::sub(table, name) else {
            if outer.is_some_and(|outer| vocabulary::sub(outer, name).is_some()) {
                return Ok(None);
            }
            self.at = behind;
            self.unknown(line, name, true);
            if !name.starts_with(b"-") {
                self.text(Within::Block(table))?;
            }
            return Ok(Some(SubRead { known: None }));
        };
        self.at = behind;
        let value = if name.starts_with(b"-") {
            self.skip_blanks();
            if self.peek() == Some(b';') {
                self.at += 1;
            }
            SubValue::Flag
        } else if let Some(inner) = vocabulary::inner(sub) {
            SubValue::List(self.inner_list(inner, table)?)
        } else {
            SubValue::Text(self.text(Within::Block(table))?)
        };
        Ok(Some(SubRead { known: Some(SubField { sub, line, value }) }))
    }

    /// The blocks inside a block. There is no third level.
    fn inner_list(&mut self, table: Table, outer: Table) -> Scanned<Vec<Vec<SubField>>> {
        let (mut blocks, mut block) = (Vec::new(), Vec::new());
        loop {
            self.skip_space();
            if blocks.len() > MAX_BLOCK || block.len() > MAX_BLOCK {
                return Err(self.bad(Reason::TooMany));
            }
            match self.peek() {
                None => break,
                Some(b';') => {
                    self.at += 1;
                    break;
                }
                Some(b',') => {
                    self.at += 1;
                    blocks.extend(Some(std::mem::take(&mut block)).filter(|b| !b.is_empty()));
                    continue;
                }
                Some(_) => {}
            }
            if self.next_keyword_here(table) {
                break;
            }
            match self.sub_field(table, Some(outer))? {
                Some(field) => block.extend(field.known),
                None if self.look_word().is_some() => break,
                None => return Err(self.bad(Reason::NoKeyword)),
            }
        }
        blocks.extend(Some(block).filter(|b| !b.is_empty()));
        Ok(blocks)
    }
}

/// A sub-keyword that was read; nothing of it is kept if nobody knows it.
struct SubRead {
    known: Option<SubField>,
}

fn push_block(elements: &mut Vec<Element>, block: &mut Vec<SubField>) {
    if !block.is_empty() {
        elements.push(Element::Block(std::mem::take(block)));
    }
}

fn trim_end(value: &mut Octets, what: &[u8]) {
    while value.last().is_some_and(|last| what.contains(last)) {
        value.pop();
    }
}

/// Whether this is the keyword of a directory object.
pub(crate) const fn is_object(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::DsUser | Keyword::DsExternalPostOffice | Keyword::DsGroup | Keyword::DsResource
    )
}
