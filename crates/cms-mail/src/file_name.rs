//! Names of CMS files.

use std::collections::BTreeSet;
use std::fmt;

/// Characters of a file's name and of its type.
const MAX_PART: usize = 8;
/// The mode that files arrive with.
const MODE: &str = "A";

/// A CMS file: name, type and mode.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CmsName {
    name: String,
    kind: String,
    mode: String,
}

impl CmsName {
    /// A file of mode A; none if name or type cannot be one.
    pub fn new(name: &str, kind: &str) -> Option<Self> {
        Self::with_mode(name, kind, MODE)
    }

    /// A file of a mode: a letter, and a digit that may be missing.
    pub fn with_mode(name: &str, kind: &str, mode: &str) -> Option<Self> {
        let mut letters = mode.chars();
        let letter = letters.next().is_some_and(|c| c.is_ascii_uppercase());
        let digit = letters.next().is_none_or(|c| c.is_ascii_digit()) && letters.next().is_none();
        (letter && digit && is_part(name) && is_part(kind)).then(|| Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            mode: mode.to_owned(),
        })
    }

    /// The name under which an attachment goes to the host, other than those in
    /// `taken`. What stands behind the last dot is the type; both are shortened
    /// to 8 characters of those that CMS has, whatever they were (Q177534,
    /// Q178093: long ones made the connector crash). `$` and `#` stay (Q190557).
    pub fn from_attachment(attachment: &str, taken: &mut BTreeSet<Self>) -> Self {
        let last = attachment.rsplit(['/', '\\']).next().unwrap_or(attachment).trim();
        let (stem, ending) = match last.rsplit_once('.') {
            Some((stem, ending)) if !stem.is_empty() => (stem, ending),
            _ => (last, ""),
        };
        let (stem, kind) = (part(stem, "FILE"), part(ending, "FILE"));
        let mut number = 1_u32;
        loop {
            let digits = if number > 1 { number.to_string() } else { String::new() };
            let room = MAX_PART.saturating_sub(digits.len());
            let cut: String = stem.chars().take(room).collect();
            let made = Self { name: cut + &digits, kind: kind.clone(), mode: MODE.to_owned() };
            // As many names as `taken` has and one more are tried at most.
            if taken.insert(made.clone()) || number == u32::MAX {
                return made;
            }
            number = number.saturating_add(1);
        }
    }

    /// The name of an attachment that came as this file: `A$B.LISTING`.
    pub fn attachment(&self) -> String {
        format!("{}.{}", self.name, self.kind)
    }

    /// The file's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file's type.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The file's mode.
    pub fn mode(&self) -> &str {
        &self.mode
    }
}

impl fmt::Display for CmsName {
    /// `TEST LOG A`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.name, self.kind, self.mode)
    }
}

/// Characters of CMS names; small letters occur, and are other letters.
fn is_allowed(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || matches!(character, '$' | '#' | '@' | '+' | '-' | ':' | '_')
}

fn is_part(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_PART && text.chars().all(is_allowed)
}

/// A part of a name out of any text.
fn part(text: &str, otherwise: &str) -> String {
    let tidy: String = text
        .chars()
        .map(|c| c.to_ascii_uppercase())
        .map(|c| if is_allowed(c) { c } else { '_' })
        .take(MAX_PART)
        .collect();
    if tidy.chars().all(|c| c == '_') { otherwise.to_owned() } else { tidy }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(attachment: &str) -> String {
        CmsName::from_attachment(attachment, &mut BTreeSet::new()).to_string()
    }

    /// Q190557: `$` became `_`. T83.
    #[test]
    fn a_dollar_in_a_name_is_the_same_both_ways() {
        let there = CmsName::from_attachment("A$B.LISTING", &mut BTreeSet::new());
        assert_eq!(there.to_string(), "A$B LISTING A");
        assert_eq!(there.attachment(), "A$B.LISTING");
    }

    /// Q177534, Q178093: the connector crashed.
    #[test]
    fn names_and_endings_of_any_length_are_shortened() {
        assert_eq!(sent("Quarterly figures.xlsx"), "QUARTERL XLSX A");
        assert_eq!(sent("a.verylongextension"), "A VERYLONG A");
        assert_eq!(
            sent(&format!("{}.{}", "n".repeat(9000), "x".repeat(9000))),
            "NNNNNNNN XXXXXXXX A"
        );
        for empty in ["", ".", "...", "/", "漢字", ".漢", "C:\\dir\\"] {
            let made = CmsName::from_attachment(empty, &mut BTreeSet::new());
            assert!(is_part(made.name()) && is_part(made.kind()), "{empty:?}: {made}");
        }
    }

    #[test]
    fn equal_names_in_one_message_become_different_files() {
        let mut taken = BTreeSet::new();
        let made: Vec<String> = (0..12)
            .map(|_| CmsName::from_attachment("attachment.doc", &mut taken).to_string())
            .collect();
        assert_eq!(made.first().map(String::as_str), Some("ATTACHME DOC A"));
        assert_eq!(made.get(1).map(String::as_str), Some("ATTACHM2 DOC A"));
        assert_eq!(made.get(11).map(String::as_str), Some("ATTACH12 DOC A"));
        assert_eq!(taken.len(), 12);
    }
}
