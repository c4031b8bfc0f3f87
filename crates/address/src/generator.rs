//! Address generators: how a recipient's address of a foreign type is made out
//! of its names.
//!
//! The rule language is Exchange's. A rule is a template; `%m` is the alias,
//! `%d` the display name, `%g` the given name, `%s` the surname, `%i` the
//! initials. A number before or behind the letter takes the first characters only
//! (`%1g%s`, `&G1&S`). A display name with a comma is put in order: `Doe, Jane`
//! is `Jane Doe`. `%rXY` replaces X by Y in everything behind it, and removes X where both are the same. `%%` is
//! a percent. `&` may stand for `%` throughout, and letters in either case.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Characters of a generated value: room for any name, below every type's limit.
pub const MAX_GENERATED: usize = 256;
/// Octets of a rule; the longest in the field have a few dozen.
const MAX_RULE: usize = 256;

/// What a generator knows of a recipient.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    /// The alias.
    pub alias: String,
    /// What address books show.
    pub display_name: String,
    /// If it is not known, it is taken from the display name.
    pub given_name: Option<String>,
    /// If it is not known, it is taken from the display name: what stands before
    /// a comma, else the last word.
    pub surname: Option<String>,
    /// If they are not known, the first letters of given names and surname.
    pub initials: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Alias,
    Display,
    Given,
    Surname,
    Initials,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(char),
    Field { field: Field, first: Option<usize> },
    Replace { from: char, to: char },
}

/// A rule, ready to be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GeneratorRule {
    text: String,
    pieces: Vec<Piece>,
}

/// The text is not a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a generator rule: {cause}, at character {position}")]
pub struct ParseGeneratorRuleError {
    /// What was given, shortened.
    pub text: String,
    /// The character that does not fit, counted from 1.
    pub position: usize,
    /// Why it does not fit.
    pub cause: &'static str,
}

/// A rule has no address for a recipient.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenerateError {
    /// All of the names that the rule uses are empty.
    #[error("the rule '{rule}' gives nothing for '{alias}': the names that it uses are empty")]
    Empty {
        /// The rule.
        rule: String,
        /// The recipient.
        alias: String,
    },
    /// More than [`MAX_GENERATED`] characters.
    #[error("the rule '{rule}' gives more than 256 characters for '{alias}'")]
    TooLong {
        /// The rule.
        rule: String,
        /// The recipient.
        alias: String,
    },
}

impl GeneratorRule {
    /// The rule as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The value for a recipient: blanks single, none at the ends.
    ///
    /// # Errors
    /// [`GenerateError`]
    pub fn generate(&self, names: &Names) -> Result<String, GenerateError> {
        let known = Known::of(names);
        let mut out = String::new();
        let mut replacements: Vec<(char, char)> = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Replace { from, to } => replacements.push((*from, *to)),
                Piece::Literal(c) => out.extend(replaced(*c, &replacements)),
                Piece::Field { field, first } => {
                    let value = known.field(*field);
                    let most = first.unwrap_or(usize::MAX);
                    out.extend(value.chars().take(most).filter_map(|c| replaced(c, &replacements)));
                }
            }
        }
        let value = single_blanks(&out);
        let failed = || (self.text.clone(), names.alias.clone());
        if value.is_empty() {
            let (rule, alias) = failed();
            return Err(GenerateError::Empty { rule, alias });
        }
        if value.chars().count() > MAX_GENERATED {
            let (rule, alias) = failed();
            return Err(GenerateError::TooLong { rule, alias });
        }
        Ok(value)
    }
}

/// A character after the replacements that stand before it, each in turn.
fn replaced(c: char, replacements: &[(char, char)]) -> Option<char> {
    replacements.iter().try_fold(c, |c, (from, to)| match c == *from {
        true if from == to => None,
        true => Some(*to),
        false => Some(c),
    })
}

/// Runs of blanks as one, none at the ends, control characters left out.
fn single_blanks(text: &str) -> String {
    let words: Vec<&str> = text.split(char::is_whitespace).filter(|w| !w.is_empty()).collect();
    words.join(" ").chars().filter(|c| !c.is_control()).collect()
}

/// The names, with what is not known taken from the display name.
struct Known {
    alias: String,
    display: String,
    given: String,
    surname: String,
    initials: String,
}

impl Known {
    fn of(names: &Names) -> Self {
        let display = single_blanks(&names.display_name);
        let (given, surname) = match display.split_once(',') {
            Some((surname, given)) => (given.trim(), surname.trim()),
            None => display.rsplit_once(' ').unwrap_or(("", &display)),
        };
        // `Doe, Jane` is Jane Doe (Q187276).
        let in_order = match display.contains(',') {
            true => single_blanks(&format!("{given} {surname}")),
            false => display.clone(),
        };
        let or = |known: &Option<String>, derived: &str| {
            known.as_deref().map_or_else(|| derived.to_owned(), single_blanks)
        };
        // Middle names are of the initials, but not of the given name.
        let first = given.split(' ').next().unwrap_or_default();
        let all_given = or(&names.given_name, given);
        let surname = or(&names.surname, surname);
        let letters = format!("{all_given} {surname}");
        let letters: String = letters.split(' ').filter_map(|word| word.chars().next()).collect();
        Self {
            alias: single_blanks(&names.alias),
            given: or(&names.given_name, first),
            initials: or(&names.initials, &letters),
            surname,
            display: in_order,
        }
    }

    fn field(&self, field: Field) -> &str {
        match field {
            Field::Alias => &self.alias,
            Field::Display => &self.display,
            Field::Given => &self.given,
            Field::Surname => &self.surname,
            Field::Initials => &self.initials,
        }
    }
}

impl FromStr for GeneratorRule {
    type Err = ParseGeneratorRuleError;

    fn from_str(text: &str) -> Result<Self, ParseGeneratorRuleError> {
        let fail = |place: usize, cause| ParseGeneratorRuleError {
            text: text.chars().take(120).collect(),
            position: place + 1,
            cause,
        };
        if text.len() > MAX_RULE {
            return Err(fail(MAX_RULE, "it is longer than 256 octets"));
        }
        if let Some(place) = text.chars().position(char::is_control) {
            return Err(fail(place, "a control character"));
        }
        let characters: Vec<char> = text.chars().collect();
        let mut reader = Reader { characters: &characters, at: 0 };
        let mut pieces = Vec::new();
        while reader.at < characters.len() {
            pieces.push(reader.piece().map_err(|(place, cause)| fail(place, cause))?);
        }
        if !pieces.iter().any(|piece| !matches!(piece, Piece::Replace { .. })) {
            return Err(fail(characters.len(), "it makes nothing"));
        }
        Ok(Self { text: text.to_owned(), pieces })
    }
}

struct Reader<'a> {
    characters: &'a [char],
    at: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.characters.get(self.at).copied();
        self.at += usize::from(c.is_some());
        c
    }

    fn piece(&mut self) -> Result<Piece, (usize, &'static str)> {
        let start = self.at;
        let prefix = match self.next() {
            Some(c @ ('%' | '&')) => c,
            Some(c) => return Ok(Piece::Literal(c)),
            None => return Err((start, "the rule ends")),
        };
        let mut first: Option<usize> = None;
        loop {
            let place = self.at;
            let c = self.next().ok_or((start, "a macro without its letter"))?;
            if let Some(digit) = c.to_digit(10) {
                let number = first.unwrap_or(0) * 10 + digit as usize;
                if number > MAX_GENERATED {
                    return Err((place, "a number above 256"));
                }
                first = Some(number);
                continue;
            }
            if first == Some(0) {
                return Err((place, "no characters are asked for"));
            }
            if c == prefix && first.is_none() {
                return Ok(Piece::Literal(prefix));
            }
            let field = match c.to_ascii_lowercase() {
                'm' => Field::Alias,
                'd' => Field::Display,
                'g' => Field::Given,
                's' => Field::Surname,
                'i' => Field::Initials,
                'r' if first.is_some() => return Err((place, "a number before 'r'")),
                'r' => return self.replace(start),
                _ => return Err((place, "no such macro; there are m, d, g, s, i and r")),
            };
            let first = match first {
                Some(first) => Some(first),
                None => self.count_behind()?,
            };
            return Ok(Piece::Field { field, first });
        }
    }

    /// The number behind a letter, if there is one.
    fn count_behind(&mut self) -> Result<Option<usize>, (usize, &'static str)> {
        let place = self.at;
        let mut count: Option<usize> = None;
        while let Some(digit) = self.characters.get(self.at).and_then(|c| c.to_digit(10)) {
            let number = count.unwrap_or(0) * 10 + digit as usize;
            if number > MAX_GENERATED {
                return Err((place, "a number above 256"));
            }
            self.at += 1;
            count = Some(number);
        }
        match count {
            Some(0) => Err((place, "no characters are asked for")),
            count => Ok(count),
        }
    }

    fn replace(&mut self, start: usize) -> Result<Piece, (usize, &'static str)> {
        match (self.next(), self.next()) {
            (Some(from), Some(to)) => Ok(Piece::Replace { from, to }),
            _ => Err((start, "two characters stand behind 'r'")),
        }
    }
}

impl TryFrom<String> for GeneratorRule {
    type Error = ParseGeneratorRuleError;
    fn try_from(text: String) -> Result<Self, ParseGeneratorRuleError> {
        text.parse()
    }
}

impl From<GeneratorRule> for String {
    fn from(rule: GeneratorRule) -> String {
        rule.text
    }
}

impl fmt::Display for GeneratorRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(rule: &str, display: &str) -> String {
        let names =
            Names { alias: "jdoe".into(), display_name: display.into(), ..Names::default() };
        rule.parse::<GeneratorRule>().unwrap().generate(&names).unwrap()
    }

    #[test]
    fn a_display_name_with_a_comma_is_put_in_order() {
        let names = Names { display_name: "Doe,  Jane Q.".into(), ..Names::default() };
        let rule: GeneratorRule = "%d/Site".parse().unwrap();
        assert_eq!(rule.generate(&names).unwrap(), "Jane Q. Doe/Site");
    }

    #[test]
    fn macros_are_filled_in() {
        for (rule, expected) in [
            ("%m", "jdoe"),
            ("&M", "jdoe"),
            ("%d/Acme", "Jane Q Doe/Acme"),
            ("%g.%s", "Jane.Doe"),
            ("%1g%s", "JDoe"),
            ("&G1&S", "JDoe"),
            ("%S2%1g3", "DoJ3"),
            ("%i", "JQD"),
            ("%3s%%", "Doe%"),
            ("&&%m&1G", "&jdoeJ"),
            ("%r._%r  %d.x", "JaneQDoe_x"),
            ("%g%rnn%g", "JaneJae"),
            ("%rab%rbca", "c"),
            ("  %g   %s  ", "Jane Doe"),
        ] {
            assert_eq!(of(rule, " Jane  Q Doe "), expected, "{rule}");
        }
        assert_eq!(of("%s|%g|%i", "Doe, Jane Q"), "Doe|Jane|JQD");
        assert_eq!(of("%s", "Cher"), "Cher");
        let known = Names {
            display_name: "Jane Doe".into(),
            given_name: Some("Janet".into()),
            surname: Some("Roe".into()),
            initials: Some("X".into()),
            ..Names::default()
        };
        let rule: GeneratorRule = "%g %s %i".parse().unwrap();
        assert_eq!(rule.generate(&known).unwrap(), "Janet Roe X");
    }

    /// Q200233, Q187276.
    #[test]
    fn the_examples_of_the_field_give_what_they_gave() {
        let of = |rule: &str, display: &str, initials: Option<&str>| {
            let names = Names {
                display_name: display.into(),
                initials: initials.map(str::to_owned),
                ..Names::default()
            };
            rule.parse::<GeneratorRule>().unwrap().generate(&names).unwrap()
        };
        let lee = |rule| of(rule, "Nancy M. Lee", Some("M"));
        assert_eq!(lee("&S&G3@Exchange"), "LeeNan@Exchange");
        assert_eq!(lee("&S&G&I/Microsoft@Exchange"), "LeeNancyM/Microsoft@Exchange");
        let last = |rule| of(rule, "First Initial. Last", None);
        assert_eq!(last("%r _%d"), "First_Initial._Last");
        assert_eq!(last("%r..%d"), "First Initial Last");
        assert_eq!(of("%r..%d", ".J. R. Ewing.", None), "J R Ewing");
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (rule, position) in [
            ("", 1),
            ("ab%", 3),
            ("%x", 2),
            ("a%300m", 5),
            ("%0m", 3),
            ("%m0", 3),
            ("%m999", 3),
            ("%1rab", 3),
            ("%ra", 1),
            ("%rab", 5),
            ("a\tb", 2),
            ("%1%", 3),
        ] {
            let error = rule.parse::<GeneratorRule>().unwrap_err();
            assert_eq!(error.position, position, "{rule}: {error}");
        }
        let rule: GeneratorRule = "%g".parse().unwrap();
        assert!(matches!(rule.generate(&Names::default()), Err(GenerateError::Empty { .. })));
        let rule: GeneratorRule = "%d%d".parse().unwrap();
        let long = Names { display_name: "x".repeat(200), ..Names::default() };
        assert!(matches!(rule.generate(&long), Err(GenerateError::TooLong { .. })));
    }

    proptest! {
        #[test]
        fn any_rule_gives_a_bounded_value_or_an_error(
            rule in "[%&0-9mdgsirMR a.,é]{0,20}", display in ".{0,40}",
        ) {
            if let Ok(rule) = rule.parse::<GeneratorRule>() {
                let names = Names { alias: "a".into(), display_name: display, ..Names::default() };
                if let Ok(value) = rule.generate(&names) {
                    prop_assert!(!value.is_empty() && value.chars().count() <= MAX_GENERATED);
                    prop_assert!(!value.contains("  ") && value.trim() == value);
                }
            }
        }
    }
}
