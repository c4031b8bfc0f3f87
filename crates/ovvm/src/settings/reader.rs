//! Reading settings, with every mistake remembered.

use concord_connector::wire::OwnObject;
use serde_json::Value;
use std::ops::RangeInclusive;

/// Reads the settings of a connector's object.
pub(super) struct Reader<'a> {
    own: &'a OwnObject,
    /// Each with what to do.
    pub mistakes: Vec<String>,
}

/// A line of a table: the word that it is about, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub word: String,
    pub values: Vec<(String, String)>,
}

impl<'a> Reader<'a> {
    pub const fn new(own: &'a OwnObject) -> Self {
        Self { own, mistakes: Vec::new() }
    }

    pub fn text(&self, name: &str, default: &str) -> String {
        match self.own.settings.get(name) {
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Bool(flag)) => flag.to_string(),
            _ => default.to_owned(),
        }
    }

    pub fn mistake(&mut self, text: impl Into<String>) {
        self.mistakes.push(text.into());
    }

    pub fn number(&mut self, name: &str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let text = self.text(name, "");
        if text.is_empty() {
            return default;
        }
        match text.parse() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                let (from, to) = (range.start(), range.end());
                self.mistake(format!("{name} is '{text}': write {from} to {to}"));
                default
            }
        }
    }

    /// One of several words.
    pub fn choice<T: Copy>(
        &mut self,
        name: &str,
        default: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let text = self.text(name, default);
        self.chosen(name, &text, choices)
    }

    /// Which of several words a text is.
    pub fn chosen<T: Copy>(&mut self, name: &str, text: &str, choices: &[(&str, T)]) -> Option<T> {
        let found = choices.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
        if found.is_none() {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            self.mistake(format!("{name} is '{text}': write {}", words.join(" or ")));
        }
        found.map(|(_, value)| *value)
    }

    /// A table: a line each, or parted by ';'. Lines that begin with '#' say
    /// nothing.
    pub fn table(&mut self, name: &str) -> Vec<Line> {
        let text = self.text(name, "");
        let rows = text.split(['\n', ';']).map(str::trim);
        let mut lines = Vec::new();
        for row in rows.filter(|row| !row.is_empty() && !row.starts_with('#')) {
            let mut words = row.split_whitespace();
            let Some(word) = words.next() else { continue };
            let mut values = Vec::new();
            for pair in words {
                match pair.split_once('=') {
                    Some((key, value)) => values.push((key.to_owned(), value.to_owned())),
                    // What is wrong in a secret is not shown.
                    None => self.mistake(format!(
                        "a line of {name} for {word} has a word without '=': write KEY=VALUE"
                    )),
                }
            }
            lines.push(Line { word: word.to_owned(), values });
        }
        lines
    }
}
