//! Reads header files as strictly as the gateway does that they are for.
//!
//! Written from the rules and not from Concord's own reader, so that a file
//! that both sides of Concord get wrong in the same way is found.

use super::page::GatewayPage;
use super::settings::AddressStyle;

const TEXTS: &[&str] = &[
    "WPC-API",
    "MSG-TYPE",
    "HEADER-CHAR",
    "MSG-CHAR",
    "MSG-ID",
    "ORIG-MSG-ID",
    "FROM-TEXT",
    "TO-TEXT",
    "TO-CC-TEXT",
    "SUBJECT",
    "DATE-SENT",
    "DISTRIBUTE-DATE",
    "BEGIN-TIME",
    "END-TIME",
    "RESPOND-BY",
    "LOCATION",
    "MSG-FILE",
    "MSG-PRIORITY",
    "SECURITY",
    "SEND-OPTIONS",
    "STATUS-REQUEST",
    "SET-STATUS",
    "MSG-ACTION",
    "MSG-VIEW",
    "FOLDER-NAME",
    "CALL-ACTION",
    "CALLER-NAME",
    "CALLER-COMPANY",
    "CALLER-PHONE",
    "TASK-CATEGORY",
    "TASK-PRIORITY",
];
const ADDRESSES: &[&str] = &["FROM", "TO", "TO-CC", "TO-BC", "ALL-TO", "ALL-TO-CC", "BUSY-FOR"];
const ADDRESS: &[&str] = &[
    "WPD", "WPPO", "WPU", "WPPONUM", "WPUNUM", "CDBA", "FUA", "FN", "LN", "S", "G", "DEPT", "TTL",
    "TEL", "FAX",
];
const OBJECTS: &[&str] = &["DS-USER", "DS-EXTERNAL-POST-OFFICE", "DS-GROUP", "DS-RESOURCE"];
const OBJECT: &[&str] = &[
    "OPERATION",
    "VISIBILITY",
    "DOMAIN",
    "POST-OFFICE",
    "OBJECT",
    "LAST-NAME",
    "FIRST-NAME",
    "DESCRIPTION",
    "ACCOUNT-ID",
    "TITLE",
    "DEPARTMENT",
    "PHONE",
    "FAX",
    "NETWORK-ID",
    "TIME-ZONE",
    "GW-ALIAS",
];
const ALIAS: &[&str] = &["TYPE", "EXTERNAL-NAME"];
const ATTACHMENT: &[&str] = &["CURRENT-FILE", "ORIGINAL-FILE", "SIZE", "DATE"];
const SPAN: &[&str] = &["START-TIME", "END-TIME"];
const STATUS: &[&str] = &["ACTION", "TIME", "REASON"];

/// What the gateway says of a file that it refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    pub line: usize,
    pub text: String,
}

/// A sub-keyword in capitals with its value, or with blocks of its own.
#[derive(Debug, Clone, Default)]
pub(super) struct Block {
    pub line: usize,
    pub texts: Vec<(String, String)>,
    pub inner: Vec<Block>,
}

impl Block {
    /// The first value of a name; empty if there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.texts.iter().find(|(n, _)| n == name).map(|(_, text)| text.as_str())
    }
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    Blocks(Vec<Block>),
    Flag,
}

/// A file that the gateway takes.
#[derive(Debug, Clone, Default)]
pub(super) struct Strict {
    pub fields: Vec<(String, Value)>,
}

impl Strict {
    pub(super) fn text(&self, keyword: &str) -> &str {
        let found = self.fields.iter().find_map(|(name, value)| match value {
            Value::Text(text) if name == keyword => Some(text.as_str()),
            _ => None,
        });
        found.unwrap_or_default()
    }

    pub(super) fn has(&self, keyword: &str) -> bool {
        self.fields.iter().any(|(name, _)| name == keyword)
    }

    pub(super) fn blocks(&self, keyword: &str) -> Vec<&Block> {
        let lists = self.fields.iter().filter_map(|(name, value)| match value {
            Value::Blocks(blocks) if name == keyword => Some(blocks),
            _ => None,
        });
        lists.flatten().collect()
    }
}

/// Reads a file, or says everything that is wrong with it.
pub(super) fn read(
    file: &[u8],
    page: GatewayPage,
    style: AddressStyle,
) -> Result<Strict, Vec<Complaint>> {
    let text = page.decode(file);
    let mut reader = Reader {
        characters: text.chars().collect(),
        at: 0,
        line: 1,
        style,
        complaints: Vec::new(),
    };
    let strict = reader.file();
    if reader.complaints.is_empty() { Ok(strict) } else { Err(reader.complaints) }
}

struct Reader {
    characters: Vec<char>,
    at: usize,
    line: usize,
    style: AddressStyle,
    complaints: Vec<Complaint>,
}

impl Reader {
    fn complain(&mut self, text: impl Into<String>) {
        self.complaints.push(Complaint { line: self.line, text: text.into() });
    }

    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        if character == '\n' {
            let before = self.at.checked_sub(1).and_then(|at| self.characters.get(at));
            if before != Some(&'\r') {
                self.complain("Line does not end with CR LF");
            }
            self.line += 1;
        }
        self.at += 1;
        Some(character)
    }

    fn at_margin(&self) -> bool {
        self.at.checked_sub(1).is_none_or(|at| self.characters.get(at) == Some(&'\n'))
    }

    fn skip_white(&mut self) {
        loop {
            if self.at_margin() && self.peek() == Some('#') {
                self.skip_line();
                continue;
            }
            match self.peek() {
                Some(' ' | '\t' | '\r' | '\n') => {
                    self.next();
                }
                _ => return,
            }
        }
    }

    fn skip_line(&mut self) {
        while !matches!(self.next(), None | Some('\n')) {}
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(character) = self.peek()
            && (character.is_ascii_alphanumeric() || character == '-')
        {
            name.push(character);
            self.at += 1;
        }
        name
    }

    fn file(&mut self) -> Strict {
        let mut strict = Strict::default();
        loop {
            self.skip_white();
            if self.peek().is_none() {
                self.complain("-END- is missing");
                return strict;
            }
            let margin = self.at_margin();
            let written = self.name();
            let keyword = written.to_ascii_uppercase();
            if keyword == "-END-" {
                return strict;
            }
            if !margin || written.is_empty() {
                self.complain("Keyword expected");
                self.skip_line();
                continue;
            }
            if keyword == "-GET-DIRECTORY-" {
                strict.fields.push((keyword, Value::Flag));
                continue;
            }
            if self.peek() != Some('=') {
                self.complain(format!("Unknown keyword: {written}"));
                self.skip_line();
                continue;
            }
            self.at += 1;
            if let Some(value) = self.value(&keyword, &written) {
                strict.fields.push((keyword, value));
            }
        }
    }

    fn value(&mut self, keyword: &str, written: &str) -> Option<Value> {
        if TEXTS.contains(&keyword) {
            return Some(Value::Text(self.text(false)));
        }
        let table = match keyword {
            _ if ADDRESSES.contains(&keyword) => ADDRESS,
            _ if OBJECTS.contains(&keyword) => OBJECT,
            "ATTACH-FILE" => ATTACHMENT,
            "BUSY-REPORT" => SPAN,
            "STATUS-REPORT" => STATUS,
            _ => {
                self.complain(format!("Unknown keyword: {written}"));
                self.skip_line();
                return None;
            }
        };
        Some(Value::Blocks(self.blocks(table)))
    }

    /// A value and the `;` behind it. In a list of dotted addresses a `,` ends
    /// it too and stays.
    fn text(&mut self, dotted: bool) -> String {
        let mut text = String::new();
        while let Some(character) = self.peek() {
            match character {
                ';' => {
                    self.at += 1;
                    return text.trim().to_owned();
                }
                ',' if dotted => return text.trim().to_owned(),
                '\\' => {
                    self.at += 1;
                    match self.peek() {
                        Some(escaped @ ('\\' | ',' | ';')) => {
                            text.push(escaped);
                            self.at += 1;
                        }
                        _ => self.complain("Backslash before a plain character"),
                    }
                }
                '\r' | '\n' => {
                    self.next();
                    if self.at_margin() {
                        let indented = self.peek() == Some(' ');
                        while self.peek() == Some(' ') {
                            self.at += 1;
                        }
                        if !indented {
                            break;
                        }
                    }
                }
                other => {
                    if other.is_control() {
                        self.complain("Control character in a value");
                    }
                    text.push(other);
                    self.at += 1;
                }
            }
        }
        self.complain("Value without ;");
        text
    }

    fn blocks(&mut self, table: &[&str]) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut block = Block { line: self.line, ..Block::default() };
        loop {
            self.skip_white();
            match self.peek() {
                None => break,
                Some(';') => {
                    self.at += 1;
                    break;
                }
                Some(',') => {
                    self.at += 1;
                    blocks.push(std::mem::take(&mut block));
                    block.line = self.line;
                    continue;
                }
                Some(_) if self.at_margin() => break,
                Some(_) => {}
            }
            if table == ADDRESS && self.style == AddressStyle::GroupWise && !self.sub_ahead() {
                let text = self.text(true);
                block.texts.push(("DOTTED".into(), text));
                let behind = self.at.checked_sub(1).and_then(|at| self.characters.get(at));
                if behind == Some(&';') && self.peek() != Some(',') {
                    break;
                }
                continue;
            }
            self.sub(table, &mut block);
        }
        if !block.texts.is_empty() || !block.inner.is_empty() {
            blocks.push(block);
        }
        blocks
    }

    fn sub_ahead(&self) -> bool {
        let rest = self.characters.get(self.at..).unwrap_or_default();
        let length = rest.iter().take_while(|c| c.is_ascii_alphanumeric() || **c == '-').count();
        rest.get(length) == Some(&'=')
    }

    fn sub(&mut self, table: &[&str], block: &mut Block) {
        let written = self.name();
        let name = written.to_ascii_uppercase();
        if table == ATTACHMENT && name == "-CONVERSION-ALLOWED-" {
            // A comma here is what the gateway itself cannot read (Q234585).
            if self.peek() == Some(';') {
                self.at += 1;
            } else {
                self.complain("; expected behind -CONVERSION-ALLOWED-");
            }
            return;
        }
        if self.peek() != Some('=') {
            self.complain("Keyword expected");
            self.skip_line();
            return;
        }
        let component = table == ADDRESS && self.style == AddressStyle::GroupWise;
        if component || !table.contains(&name.as_str()) {
            self.complain(format!("Unknown keyword: {written}"));
            self.skip_line();
            return;
        }
        self.at += 1;
        if name == "GW-ALIAS" {
            block.inner = self.blocks(ALIAS);
            block.texts.push((name, String::new()));
        } else {
            let text = self.text(false);
            block.texts.push((name, text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(text: &str, style: AddressStyle) -> Vec<(usize, String)> {
        match read(text.replace('\n', "\r\n").as_bytes(), GatewayPage::Cp437, style) {
            Ok(_) => Vec::new(),
            Err(complaints) => complaints.into_iter().map(|c| (c.line, c.text)).collect(),
        }
    }

    // Q222538: the three keywords that a gateway in GroupWise style complains of.
    #[test]
    fn a_gateway_in_groupwise_style_does_not_know_components() {
        let text = "WPC-API= 1.2;\nTo=\n    WPD= D;\n    WPPO= P;\n    WPU= u; ;\n-END-\n";
        assert_eq!(complaints(text, AddressStyle::Component), []);
        let said = complaints(text, AddressStyle::GroupWise);
        assert_eq!(said.first(), Some(&(3, "Unknown keyword: WPD".to_owned())));
        assert_eq!(said.len(), 3);
        assert_eq!(complaints("To= D.P.u,D.P.v;\n-END-\n", AddressStyle::GroupWise), []);
    }

    #[test]
    fn what_a_gateway_refuses_is_refused() {
        let one = |text: &str| complaints(text, AddressStyle::Component).first().cloned();
        assert_eq!(one("X-Mood= fine;\n-END-\n"), Some((1, "Unknown keyword: X-Mood".into())));
        assert_eq!(one("Subject= x;\n"), Some((2, "-END- is missing".into())));
        let comma = "Attach-File=\n  Current-File= a;\n  -CONVERSION-ALLOWED-,\n-END-\n";
        assert_eq!(one(comma).map(|c| c.0), Some(3));
        assert!(
            read(b"Subject= x;\n-END-\n", GatewayPage::Cp437, AddressStyle::Component).is_err()
        );
    }

    #[test]
    fn nested_blocks_and_escapes_are_read() {
        let text = "Msg-Type= Admin;\r\nDS-User=\r\n    Operation= Add;\r\n    Last-Name= a\\;b\\,c\\\\;\r\n    Gw-Alias=\r\n        Type= exchange;\r\n        External-Name= x@y; ;\r\n    ;\r\n-END-\r\n";
        let strict = read(text.as_bytes(), GatewayPage::Cp437, AddressStyle::Component).unwrap();
        let users = strict.blocks("DS-USER");
        assert_eq!(users[0].get("LAST-NAME"), "a;b,c\\");
        assert_eq!(users[0].inner[0].get("EXTERNAL-NAME"), "x@y");
    }
}
