//! The fields of a file by keyword, decoded.

use crate::charset::{Characters, CodePage};
use crate::limits::{MAX_NOTICES, MAX_QUOTE};
use crate::moment::Moment;
use crate::outcome::Notice;
use crate::syntax::{Element, Field, FieldValue, Fields, SubField, SubValue, is_object};
use crate::text;
use crate::vocabulary::{Keyword, Sub};

pub(super) struct Values {
    fields: Vec<Field>,
    comments: Vec<Vec<u8>>,
    characters: Characters,
    page: CodePage,
    notices: Vec<Notice>,
}

impl Values {
    pub(super) fn new(fields: Fields, characters: Characters) -> Self {
        let Fields { fields, comments, unknown, unknown_left_out } = fields;
        let page = characters.page;
        let mut values = Self { fields, comments, characters, page, notices: Vec::new() };
        values.page = values.page_of(Keyword::HeaderChar);
        for one in unknown {
            let keyword = values.decode(&one.keyword);
            values.notice(Notice::UnknownKeyword { line: one.line, keyword });
        }
        if unknown_left_out > 0 {
            values.notice(Notice::More { count: unknown_left_out });
        }
        values
    }

    pub(super) fn into_notices(self) -> Vec<Notice> {
        self.notices
    }

    pub(super) fn notice(&mut self, notice: Notice) {
        let again = matches!(notice, Notice::DottedAddresses { .. })
            && self.notices.iter().any(|n| matches!(n, Notice::DottedAddresses { .. }));
        if self.notices.len() < MAX_NOTICES && !again {
            self.notices.push(notice);
        }
    }

    pub(super) fn unknown_value(&mut self, line: u32, keyword: Keyword, value: &str) {
        let value = value.chars().take(MAX_QUOTE).collect();
        self.notice(Notice::UnknownValue { line, keyword: keyword.name(), value });
    }

    /// The page that a keyword names; the link's own if it names none.
    pub(super) fn page_of(&mut self, keyword: Keyword) -> CodePage {
        let Some((line, name)) = self.text_with_line(keyword) else { return self.characters.page };
        self.characters.named(&name).unwrap_or_else(|| {
            self.unknown_value(line, keyword, &name);
            self.characters.page
        })
    }

    pub(super) fn decode(&self, octets: &[u8]) -> String {
        text::tidy(&self.page.decode(octets))
    }

    fn find(&mut self, keyword: Keyword) -> Option<Field> {
        let at = self.fields.iter().position(|field| field.keyword == keyword)?;
        let again = self.fields.iter().skip(at + 1).find(|field| field.keyword == keyword);
        if let Some(line) = again.map(|field| field.line) {
            self.notice(Notice::Repeated { line, keyword: keyword.name() });
        }
        self.fields.get(at).cloned()
    }

    pub(super) fn has(&self, keyword: Keyword) -> bool {
        self.fields.iter().any(|field| field.keyword == keyword)
    }

    pub(super) fn has_objects(&self) -> bool {
        self.fields.iter().any(|field| is_object(field.keyword))
    }

    /// The text of a keyword that may stand once, with its line.
    pub(super) fn text_with_line(&mut self, keyword: Keyword) -> Option<(u32, String)> {
        let field = self.find(keyword)?;
        match field.value {
            FieldValue::Text(octets) => Some((field.line, self.decode(&octets))),
            FieldValue::Flag | FieldValue::List(_) => None,
        }
    }

    pub(super) fn text(&mut self, keyword: Keyword) -> String {
        self.text_with_line(keyword).map(|(_, text)| text).unwrap_or_default()
    }

    /// A value that has no blank of its own where it was continued: an id, a
    /// file's name.
    pub(super) fn id(&mut self, keyword: Keyword) -> String {
        match self.find(keyword).map(|field| field.value) {
            Some(FieldValue::Text(octets)) => self.decode_id(&octets),
            _ => String::new(),
        }
    }

    fn decode_id(&self, octets: &[u8]) -> String {
        let joined: Vec<u8> = octets.iter().copied().filter(|octet| *octet != b'\n').collect();
        self.decode(&joined)
    }

    pub(super) fn date(&mut self, keyword: Keyword) -> Option<Moment> {
        let (line, text) = self.text_with_line(keyword)?;
        if text.is_empty() {
            return None;
        }
        self.moment(line, keyword, &text)
    }

    pub(super) fn moment(&mut self, line: u32, keyword: Keyword, text: &str) -> Option<Moment> {
        let moment = Moment::parse(text);
        if moment.is_none() {
            self.unknown_value(line, keyword, text);
        }
        moment
    }

    /// The elements of every list with this keyword, in order.
    pub(super) fn take_lists(&mut self, keyword: Keyword) -> Vec<(u32, Element)> {
        let mut elements = Vec::new();
        for field in &mut self.fields {
            if field.keyword == keyword
                && let FieldValue::List(list) = &mut field.value
            {
                let line = field.line;
                elements.extend(std::mem::take(list).into_iter().map(|element| (line, element)));
            }
        }
        elements
    }

    /// The blocks of every list with this keyword.
    pub(super) fn blocks(&mut self, keyword: Keyword) -> Vec<Vec<SubField>> {
        let elements = self.take_lists(keyword).into_iter();
        elements
            .filter_map(|(_, element)| match element {
                Element::Block(block) => Some(block),
                Element::Plain(_) => None,
            })
            .collect()
    }

    /// Every directory object, in the order of the file.
    pub(super) fn take_objects(&mut self) -> Vec<(Keyword, Vec<SubField>)> {
        let mut objects = Vec::new();
        for field in &mut self.fields {
            if !is_object(field.keyword) {
                continue;
            }
            let FieldValue::List(list) = &mut field.value else { continue };
            let blocks = std::mem::take(list).into_iter().filter_map(|element| match element {
                Element::Block(block) => Some((field.keyword, block)),
                Element::Plain(_) => None,
            });
            objects.extend(blocks);
        }
        objects
    }

    /// The texts of a block. Ids and names of files are joined without blanks.
    pub(super) fn texts(&self, block: &[SubField]) -> Vec<(Sub, u32, String)> {
        let texts = block.iter().filter_map(|field| match &field.value {
            SubValue::Text(octets) if matches!(field.sub, Sub::CurrentFile | Sub::Token) => {
                Some((field.sub, field.line, self.decode_id(octets)))
            }
            SubValue::Text(octets) => Some((field.sub, field.line, self.decode(octets))),
            SubValue::Flag | SubValue::List(_) => None,
        });
        texts.collect()
    }

    pub(super) fn comments(&self) -> Vec<String> {
        self.comments.iter().map(|comment| self.decode(comment)).collect()
    }
}
