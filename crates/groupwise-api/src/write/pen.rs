//! Writes keywords, values, blocks.

use super::Written;
use crate::charset::{Characters, CodePage};
use crate::model::Address;
use crate::moment::Moment;
use crate::text::{is_tidy, tidy};
use crate::vocabulary::{self, Keyword, Sub};

const INDENT: &[u8] = b"    ";

/// A block's lines.
pub(super) type Lines = Vec<(Sub, String)>;

pub(super) struct Pen {
    octets: Vec<u8>,
    characters: Characters,
    replaced: usize,
    tidied: usize,
}

impl Pen {
    pub(super) fn new(characters: Characters) -> Self {
        Self { octets: Vec::new(), characters, replaced: 0, tidied: 0 }
    }

    pub(super) fn finish(mut self) -> Written {
        self.octets.extend_from_slice(b"-END-\r\n");
        Written { octets: self.octets, replaced: self.replaced, tidied: self.tidied }
    }

    /// A word of the vocabulary, which needs no escapes.
    pub(super) fn word(&mut self, keyword: Keyword, word: &str) {
        self.keyword(keyword);
        self.octets.push(b' ');
        self.octets.extend_from_slice(word.as_bytes());
        self.octets.extend_from_slice(b";\r\n");
    }

    /// A text, if there is one.
    pub(super) fn text(&mut self, keyword: Keyword, text: &str) {
        if text.is_empty() {
            return;
        }
        self.keyword(keyword);
        self.octets.push(b' ');
        self.value(text);
        self.octets.extend_from_slice(b";\r\n");
    }

    pub(super) fn date(&mut self, keyword: Keyword, date: Option<Moment>) {
        if let Some(date) = date {
            self.word(keyword, &date.to_string());
        }
    }

    pub(super) fn page(&mut self, page: CodePage) {
        self.word(Keyword::MsgChar, self.characters.name_of(page));
    }

    pub(super) fn flag(&mut self, keyword: Keyword) {
        self.octets.extend_from_slice(keyword.name().as_bytes());
        self.octets.extend_from_slice(b"\r\n");
    }

    pub(super) fn comment(&mut self, text: &str) {
        self.octets.extend_from_slice(b"# ");
        self.encode(text);
        self.octets.extend_from_slice(b"\r\n");
    }

    pub(super) fn addresses(&mut self, keyword: Keyword, addresses: &[Address]) {
        let blocks: Vec<Lines> =
            addresses.iter().map(address_lines).filter(|lines| !lines.is_empty()).collect();
        if !blocks.is_empty() {
            self.blocks(keyword, blocks);
        }
    }

    /// A list of blocks; a keyword with an empty list if there are none.
    pub(super) fn blocks(&mut self, keyword: Keyword, blocks: Vec<Lines>) {
        self.keyword(keyword);
        self.octets.extend_from_slice(b"\r\n");
        if blocks.is_empty() {
            self.octets.extend_from_slice(b"    ;\r\n");
        }
        let last = blocks.len().saturating_sub(1);
        for (n, block) in blocks.iter().enumerate() {
            let close: &[u8] = if n == last { b" ;" } else { b" ," };
            let last_line = block.len().saturating_sub(1);
            for (m, (sub, text)) in block.iter().enumerate() {
                self.line(keyword, *sub, text, if m == last_line { close } else { b"" });
            }
        }
    }

    fn line(&mut self, keyword: Keyword, sub: Sub, text: &str, close: &[u8]) {
        self.octets.extend_from_slice(INDENT);
        self.octets.extend_from_slice(vocabulary::sub_name(keyword, sub).as_bytes());
        if sub != Sub::ConversionAllowed {
            self.octets.extend_from_slice(b"= ");
            self.value(text);
        }
        self.octets.push(b';');
        self.octets.extend_from_slice(close);
        self.octets.extend_from_slice(b"\r\n");
    }

    /// The beginning of a block that is written line by line.
    pub(super) fn open(&mut self, keyword: Keyword) {
        self.keyword(keyword);
        self.octets.extend_from_slice(b"\r\n");
    }

    pub(super) fn open_line(&mut self, keyword: Keyword, sub: Sub, text: &str) {
        self.line(keyword, sub, text, b"");
    }

    /// Octets of the form itself.
    pub(super) fn raw(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }

    fn keyword(&mut self, keyword: Keyword) {
        self.octets.extend_from_slice(keyword.name().as_bytes());
        self.octets.push(b'=');
    }

    /// A value with its escapes.
    pub(super) fn value(&mut self, text: &str) {
        let begin = self.octets.len();
        self.encode(text);
        let plain = self.octets.split_off(begin);
        for octet in plain {
            if matches!(octet, b'\\' | b',' | b';') {
                self.octets.push(b'\\');
            }
            self.octets.push(octet);
        }
    }

    fn encode(&mut self, text: &str) {
        let encoded = if is_tidy(text) {
            self.characters.page.encode(text)
        } else {
            self.tidied += 1;
            self.characters.page.encode(&tidy(text))
        };
        self.replaced += encoded.replaced;
        self.octets.extend_from_slice(&encoded.octets);
    }
}

fn address_lines(address: &Address) -> Lines {
    let lines = [
        (Sub::Domain, &address.domain),
        (Sub::PostOffice, &address.post_office),
        (Sub::Object, &address.object),
        (Sub::PostOfficeNumber, &address.post_office_number),
        (Sub::ObjectNumber, &address.object_number),
        (Sub::GivenName, &address.given_name),
        (Sub::Surname, &address.surname),
        (Sub::Department, &address.department),
        (Sub::Title, &address.title),
        (Sub::Telephone, &address.telephone),
        (Sub::Fax, &address.fax),
        (Sub::Foreign, &address.foreign),
        (Sub::Token, &address.token),
    ];
    let said = lines.into_iter().filter(|(_, text)| !text.is_empty());
    said.map(|(sub, text)| (sub, text.clone())).collect()
}
