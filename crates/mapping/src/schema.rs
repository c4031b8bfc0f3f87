//! Schema tables: `TAG length attribute [more]`, one attribute a line.
//!
//! Columns stand apart by blanks or tabs, `;` begins a comment. The original
//! could not read tabs, and crashed at the 31st line (Q235483, Q266269).

use crate::attribute::{Attribute, Attributes};
use crate::lexer::is_word;
use crate::limits::{MAX_RESULT, MAX_TAG};
use crate::problem::{Cause, Problems, lines, shortened};
use crate::rule_set::Notice;
use std::collections::BTreeMap;

/// One attribute of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaLine {
    /// Its name in rules, in upper case.
    pub tag: String,
    /// Characters that a value may have; the rest is cut off.
    pub length: usize,
    /// Its name in the directory.
    pub attribute: Attribute,
    /// Further columns: Notes' tables have one, which nothing uses (Q180517).
    pub more: Vec<String>,
    /// Where it stands, counted from 1.
    pub line: usize,
}

/// A schema table. Tags are unique.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaTable {
    by_tag: BTreeMap<String, SchemaLine>,
}

impl SchemaTable {
    /// Reads a table.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let mut by_tag: BTreeMap<String, SchemaLine> = BTreeMap::new();
        for (number, line) in lines(text, &mut problems) {
            let content = line.split(';').next().unwrap_or_default();
            if content.trim().is_empty() {
                continue;
            }
            match schema_line(number, content) {
                Err((column, cause)) => problems.add(number, column, cause),
                Ok(found) => match by_tag.get(&found.tag) {
                    Some(first) => {
                        let cause = Cause::Duplicate { tag: found.tag, first: first.line };
                        problems.add(number, 0, cause);
                    }
                    None => drop(by_tag.insert(found.tag.clone(), found)),
                },
            }
        }
        problems.or(Self { by_tag })
    }

    /// The attribute of a tag, in either case.
    pub fn get(&self, tag: &str) -> Option<&SchemaLine> {
        self.by_tag.get(&tag.to_uppercase())
    }

    /// Every attribute, in the order of the tags.
    pub fn lines(&self) -> impl Iterator<Item = &SchemaLine> {
        self.by_tag.values()
    }

    /// The values of an entry by tag. Several values of one attribute are joined
    /// by `;`, as Notes shows them.
    pub(crate) fn values(
        &self,
        entry: &Attributes,
        notices: &mut Vec<Notice>,
    ) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for line in self.lines() {
            let value = line.attribute.of(entry).join(";");
            if !value.is_empty() {
                found.insert(line.tag.clone(), line.fit(value, notices));
            }
        }
        found
    }
}

impl SchemaLine {
    /// A value cut to the length, with a notice (the original crashed instead:
    /// Q181421, Q191286).
    pub(crate) fn fit(&self, mut value: String, notices: &mut Vec<Notice>) -> String {
        if let Some((kept, _)) = value.char_indices().nth(self.length) {
            let (tag, length) = (self.tag.clone(), self.length);
            notices.push(Notice::Cut { tag, length, characters: value.chars().count() });
            value.truncate(kept);
        }
        value
    }

    /// The canonical form, for comparison.
    pub(crate) fn canonical(&self) -> String {
        let more: String = self.more.iter().map(|column| format!(" {column}")).collect();
        format!("{} {} {}{more}", self.tag, self.length, self.attribute)
    }
}

fn schema_line(line: usize, content: &str) -> Result<SchemaLine, (usize, Cause)> {
    let end = content.trim_end().chars().count() + 1;
    let mut rest = content;
    let mut passed = 0;
    let mut column = || {
        let blanks = rest.chars().take_while(|c| c.is_whitespace()).count();
        let trimmed = rest.trim_start();
        let word = trimmed.split(char::is_whitespace).next().filter(|word| !word.is_empty())?;
        let at = passed + blanks + 1;
        passed += blanks + word.chars().count();
        rest = trimmed.get(word.len()..).unwrap_or_default();
        Some((word, at))
    };
    let missing = |column| (end, Cause::MissingColumn { column });
    let (tag, tag_at) = column().ok_or_else(|| missing("tag"))?;
    let digits = tag.bytes().all(|c| c.is_ascii_digit());
    if tag.chars().count() > MAX_TAG || !tag.chars().all(is_word) || digits {
        return Err((tag_at, Cause::BadTag { given: shortened(tag) }));
    }
    let (length, length_at) = column().ok_or_else(|| missing("length"))?;
    let parsed = crate::function::number(length).filter(|n| (1..=MAX_RESULT).contains(n));
    let length =
        parsed.ok_or_else(|| (length_at, Cause::BadLength { given: shortened(length) }))?;
    let (attribute, attribute_at) = column().ok_or_else(|| missing("attribute"))?;
    let attribute = attribute
        .parse()
        .map_err(|_| (attribute_at, Cause::BadAttribute { given: shortened(attribute) }))?;
    let mut more = Vec::new();
    while let Some((word, _)) = column() {
        more.push(word.to_owned());
    }
    Ok(SchemaLine { tag: tag.to_uppercase(), length, attribute, more, line })
}

impl crate::customise::Table for SchemaTable {
    fn canonical(&self) -> BTreeMap<String, String> {
        self.lines().map(|line| (line.tag.clone(), line.canonical())).collect()
    }

    fn over(&self, defaults: &Self) -> Self {
        let mut by_tag = self.by_tag.clone();
        for (tag, line) in &defaults.by_tag {
            let inherited = || SchemaLine { line: 0, ..line.clone() };
            by_tag.entry(tag.clone()).or_insert_with(inherited);
        }
        Self { by_tag }
    }
}
