//! Filters: which entries take part (Q241324, Q245223).
//!
//! A filter is a line `name = attribute, EQ|NE, values`. All filters have to be
//! met. Values stand apart by `|` (one has to be met) or by `&` (all of them);
//! they may contain commas (Q249113), and in quotes anything else too. A `*`
//! outside quotes stands for any characters. Case does not matter, nor does the
//! way in which an accented letter is composed. An entry without the attribute
//! has the value `""`.

use crate::attribute::{Attribute, Attributes};
use crate::limits::MAX_OPERANDS;
use crate::problem::{Cause, Problems, lines, nearest, shortened};
use unicode_normalization::UnicodeNormalization;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
}

/// A value with its wildcards: the texts between them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern(Vec<String>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Filter {
    name: String,
    attribute: Attribute,
    operator: Operator,
    patterns: Vec<Pattern>,
    /// Whether every value has to be met.
    all: bool,
}

/// Filters that are all to be met; none let everything pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilterSet {
    filters: Vec<Filter>,
}

/// A text as filters compare it.
fn folded(text: &str) -> String {
    text.nfc().collect::<String>().to_lowercase().nfc().collect()
}

impl FilterSet {
    /// Reads filters, one a line; a line that begins with `;` is a comment.
    ///
    /// # Errors
    /// Everything that is wrong with them. A filter over an attribute that is
    /// not among `known` is wrong: it would pass everything.
    pub fn parse(text: &str, known: &[Attribute]) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let mut filters = Vec::new();
        for (number, line) in lines(text, &mut problems) {
            if line.trim().is_empty() || line.trim_start().starts_with(';') {
                continue;
            }
            match filter(line, known) {
                Ok(filter) => filters.push(filter),
                Err((column, cause)) => problems.add(number, column, cause),
            }
        }
        problems.or(Self { filters })
    }

    /// The name of the first filter that an entry does not meet.
    pub fn excludes(&self, entry: &Attributes) -> Option<&str> {
        self.filters.iter().find(|filter| !filter.passes(entry)).map(|filter| filter.name.as_str())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.filters.is_empty()
    }
}

impl Filter {
    fn passes(&self, entry: &Attributes) -> bool {
        let mut values: Vec<String> =
            self.attribute.of(entry).iter().map(|value| folded(value)).collect();
        if values.is_empty() {
            values.push(String::new());
        }
        let met = |pattern: &Pattern| {
            let matches = values.iter().any(|value| pattern.matches(value));
            matches == (self.operator == Operator::Equal)
        };
        if self.all { self.patterns.iter().all(met) } else { self.patterns.iter().any(met) }
    }
}

impl Pattern {
    fn matches(&self, value: &str) -> bool {
        let Some((first, rest)) = self.0.split_first() else { return value.is_empty() };
        let Some((last, middle)) = rest.split_last() else { return value == first };
        let Some(mut left) = value.strip_prefix(first.as_str()) else { return false };
        for part in middle {
            match left.split_once(part.as_str()) {
                Some((_, after)) => left = after,
                None => return false,
            }
        }
        left.ends_with(last.as_str())
    }
}

type Place<T> = Result<T, (usize, Cause)>;

fn filter(line: &str, known: &[Attribute]) -> Place<Filter> {
    let wrong = |column: usize, expected: &'static str, found: &str| {
        let found = if found.is_empty() { "nothing".to_owned() } else { shortened(found) };
        (column, Cause::Expected { expected, found })
    };
    let whole = "'name = attribute, EQ, value'";
    let (name, rest) = line.split_once('=').ok_or_else(|| wrong(1, whole, line.trim()))?;
    let mut column = name.chars().count() + 2;
    if name.trim().is_empty() {
        return Err(wrong(1, "a name before =", ""));
    }
    let (attribute, rest) =
        rest.split_once(',').ok_or_else(|| wrong(column, whole, rest.trim()))?;
    let attribute_at = column;
    column += attribute.chars().count() + 1;
    let attribute = known_attribute(attribute.trim(), known).map_err(|c| (attribute_at, c))?;
    let (operator, values) = rest
        .split_once(',')
        .ok_or_else(|| wrong(column, "EQ or NE, a comma, and a value", rest.trim()))?;
    let operator_at = column;
    column += operator.chars().count() + 1;
    let operator = match operator.trim() {
        o if o.eq_ignore_ascii_case("EQ") => Operator::Equal,
        o if o.eq_ignore_ascii_case("NE") => Operator::NotEqual,
        o => return Err((operator_at, Cause::UnknownOperator { given: shortened(o) })),
    };
    let (patterns, all) = patterns(values, column)?;
    Ok(Filter { name: name.trim().to_owned(), attribute, operator, patterns, all })
}

fn known_attribute(given: &str, known: &[Attribute]) -> Result<Attribute, Cause> {
    let attribute: Attribute =
        given.parse().map_err(|_| Cause::BadAttribute { given: shortened(given) })?;
    if known.contains(&attribute) {
        return Ok(attribute);
    }
    let names: Vec<String> = known.iter().map(ToString::to_string).collect();
    let nearest = nearest(given, names.iter().map(String::as_str));
    Err(Cause::UnknownAttribute { attribute: shortened(given), nearest })
}

/// A value while it is read.
#[derive(Default)]
struct Reading {
    /// The texts between wildcards, the last one still growing.
    parts: Vec<String>,
    part: String,
    /// Where the last quoted or visible character ends: blanks behind it are
    /// not part of the value.
    solid: usize,
    begun: bool,
}

impl Reading {
    fn push(&mut self, c: char, quoted: bool) {
        if c.is_whitespace() && !quoted {
            if self.begun {
                self.part.push(c);
            }
            return;
        }
        self.begun = true;
        if c == '*' && !quoted {
            self.parts.push(std::mem::take(&mut self.part));
            self.solid = 0;
            return;
        }
        self.part.push(c);
        self.solid = self.part.len();
    }

    /// The value, or none if nothing stands there.
    fn finish(mut self) -> Option<Pattern> {
        self.part.truncate(self.solid);
        self.parts.push(self.part);
        let pattern = Pattern(self.parts.iter().map(|part| folded(part)).collect());
        self.begun.then_some(pattern)
    }
}

/// The values, and whether all have to be met.
fn patterns(text: &str, column: usize) -> Place<(Vec<Pattern>, bool)> {
    const A_VALUE: &str = "a value (write \"\" for an empty one)";
    let mut found = Vec::new();
    let mut separator = None;
    let mut reading = Reading::default();
    let mut characters = text.chars().zip(column..);
    let missing = |at: usize, found: &str| {
        (at, Cause::Expected { expected: A_VALUE, found: found.to_owned() })
    };
    let end = column + text.chars().count();
    while let Some((c, at)) = characters.next() {
        match c {
            '"' => {
                reading.begun = true;
                loop {
                    match characters.next() {
                        Some(('"', _)) => break,
                        Some((c, _)) => reading.push(c, true),
                        None => return Err((at, Cause::UnclosedQuote { quote: '"' })),
                    }
                }
            }
            '|' | '&' => {
                if separator.is_some_and(|other| other != c) {
                    return Err((at, Cause::MixedSeparators));
                }
                separator = Some(c);
                let value = std::mem::take(&mut reading).finish();
                found.push(value.ok_or_else(|| missing(at, &c.to_string()))?);
                if found.len() >= MAX_OPERANDS {
                    return Err((at, Cause::TooManyOperands));
                }
            }
            c => reading.push(c, false),
        }
    }
    found.push(reading.finish().ok_or_else(|| missing(end, "the end of the line"))?);
    Ok((found, separator == Some('&')))
}
