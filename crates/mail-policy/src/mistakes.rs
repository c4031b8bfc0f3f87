//! Every mistake of a file, with its line.

use crate::error::PolicyError;
use crate::policy::Policy;
use std::ops::Range;
use toml_edit::{Document, Item, Table};

/// A mistake.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Mistake {
    /// Counted from 1; none if it is of the file as a whole.
    pub line: Option<usize>,
    /// What does not fit, and where it is known what to do.
    pub what: String,
}

/// Every mistake of a policy's text; none if [`Policy::parse`] takes it. Of each
/// section, and of each row, the first value that does not fit is told; what
/// does not go together is told when all values fit.
pub fn mistakes(text: &str) -> Vec<Mistake> {
    let mut found = match Policy::parse(text) {
        Ok(_) => return Vec::new(),
        Err(PolicyError::Contradictions(all)) => {
            let document = Document::parse(text).ok();
            let line = |what: &str| place(document.as_ref()?, text, what);
            all.into_iter().map(|what| Mistake { line: line(&what), what }).collect()
        }
        Err(PolicyError::Syntax(_)) => syntax(text),
        Err(other) => vec![Mistake { line: None, what: other.to_string() }],
    };
    found.sort_by_key(|mistake| mistake.line);
    found
}

/// Values that do not fit. If the file is TOML at all each section is looked at
/// by itself, the others blanked out, so that one mistake does not hide another.
fn syntax(text: &str) -> Vec<Mistake> {
    let mut found = Vec::new();
    if Document::parse(text).is_ok() {
        for section in sections(text) {
            let alone = only(text, &section);
            if Document::parse(alone.as_str()).is_ok() {
                found.extend(first(&alone));
            }
        }
    }
    if found.is_empty() {
        found.extend(first(text));
    }
    found
}

fn first(text: &str) -> Option<Mistake> {
    let error = toml::from_str::<Policy>(text).err()?;
    let line = error.span().map(|span| line_of(text, span.start));
    Some(Mistake { line, what: error.message().to_owned() })
}

/// Where sections and rows are; tables within a row belong to it.
fn sections(text: &str) -> Vec<Range<usize>> {
    let mut starts = vec![0];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let header = line.trim_start();
        let name = header.trim_start_matches('[').split(']').next().unwrap_or_default();
        if header.starts_with('[') && !name.contains('.') {
            starts.push(at);
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
}

/// The text with nothing but a section; lines keep their numbers.
fn only(text: &str, section: &Range<usize>) -> String {
    let before = text.get(..section.start).unwrap_or_default();
    let mut alone = "\n".repeat(before.matches('\n').count());
    alone.push_str(text.get(section.clone()).unwrap_or_default());
    alone
}

/// The line of what a contradiction begins with: `domain example.org: ...`. Of
/// rows that stand there twice it is the second.
fn place(document: &Document<&str>, text: &str, what: &str) -> Option<usize> {
    let (place, _) = what.split_once(": ")?;
    let (section, name) = place.split_once(' ').unwrap_or((place, ""));
    let span = match document.get(section)? {
        Item::Table(table) => table.span(),
        Item::ArrayOfTables(rows) => {
            let rows: Vec<&Table> = rows.iter().collect();
            let of_name = |row: &&&Table| {
                ["name", "network", "zone"].iter().any(|key| {
                    let value = row.get(key).and_then(Item::as_str);
                    value.is_some_and(|value| same(value, name))
                })
            };
            rows.iter().rfind(of_name).or_else(|| rows.first()).and_then(|row| row.span())
        }
        other => other.span(),
    }?;
    Some(line_of(text, span.start))
}

/// Names as they are written, and as they are shown.
fn same(written: &str, shown: &str) -> bool {
    let parsed = |text: &str| text.parse::<crate::DomainPattern>().map(|p| p.to_string());
    let network = |text: &str| text.parse::<crate::Network>().map(|n| n.to_string());
    written == shown
        || parsed(written).is_ok_and(|written| written == shown)
        || network(written).is_ok_and(|written| written == shown)
}

fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().iter().take(at);
    before.filter(|octet| **octet == b'\n').count().saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(text: &str) -> Vec<String> {
        let show = |m: Mistake| format!("{}: {}", m.line.unwrap_or(0), m.what);
        mistakes(text).into_iter().map(show).collect()
    }

    #[test]
    fn every_section_tells_its_first_mistake_with_its_line() {
        let found = told(
            "mode = 'of'\n\n[relay]\nallow = [\n  '10.0.0.1/8',\n]\n[[domain]]\nname = 'a.test'\n\
             [[domain]]\nname = 'b.test'\nconections = 3\n[[local-domain]]\nname = 'c.test'\n\
             [local-domain.elsewhere]\nhosts = ['x:y']\n",
        );
        assert_eq!(found.len(), 4, "{found:#?}");
        let expected =
            [("1: ", "of"), ("4: ", "10.0.0.0/8"), ("11: ", "conections"), ("15: ", "x:y")];
        for (line, (number, said)) in found.iter().zip(expected) {
            assert!(line.starts_with(number) && line.contains(said), "{line}");
        }
    }

    #[test]
    fn what_does_not_go_together_has_a_line_too() {
        let found = told(
            "[outbound]\nconnections = 0\n[[domain]]\nname = 'A.test'\n[[domain]]\nname = \
             'a.test'\n[[host]]\nnetwork = '10.0.0.0/255.0.0.0'\n[[host]]\nnetwork = '10.0.0.0/8'\n",
        );
        assert_eq!(found.len(), 3, "{found:#?}");
        for (line, number) in found.iter().zip(["1: outbound", "5: domain", "9: host"]) {
            assert!(line.starts_with(number), "{line}");
        }
    }

    #[test]
    fn what_is_no_toml_is_one_mistake() {
        assert_eq!(told("[relay\nallow = []\n").len(), 1);
        assert_eq!(told(""), [""; 0]);
    }

    proptest! {
        #[test]
        fn a_text_has_mistakes_or_is_a_policy(text in "(\\[{1,2}[a-z.]{0,8}\\]{0,2}\n|[a-z]{1,5} = ['0-9a-z]{0,4}\n){0,6}") {
            prop_assert_eq!(mistakes(&text).is_empty(), Policy::parse(&text).is_ok());
        }
    }
}
