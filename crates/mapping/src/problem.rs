//! What is wrong with a table, all of it at once.

use crate::limits::{
    MAX_ATTRIBUTE, MAX_DEPTH, MAX_LINES, MAX_OPERANDS, MAX_PROBLEMS, MAX_RESULT, MAX_RULE,
    MAX_TABLE, MAX_TAG,
};
use concord_base::{Fault, Retry};
use std::fmt;

/// Which of the two schema tables of a rule table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Where values come from: tags on the right of a rule.
    Source,
    /// Where values go: the tag on the left of a rule.
    Target,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Target => "target",
        })
    }
}

/// One mistake in a table or a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// See [`MAX_TABLE`].
    #[error("the table has more than {MAX_TABLE} octets; is it the right file?")]
    TableTooLarge,
    /// See [`MAX_LINES`].
    #[error("the table has more than {MAX_LINES} lines; is it the right file?")]
    TooManyLines,
    /// See [`MAX_RULE`].
    #[error("the line has more than {MAX_RULE} octets; shorten it")]
    LineTooLong,
    /// See [`MAX_DEPTH`].
    #[error("calls are nested deeper than {MAX_DEPTH}; use fewer")]
    TooDeep,
    /// A quote without its end.
    #[error("the text that begins here with {quote} has no end; add {quote} behind it")]
    UnclosedQuote {
        /// The quote.
        quote: char,
    },
    /// Something else stands there.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// What may stand there, and what to do.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// No such function.
    #[error("there is no function {name}{}", did_you_mean(.nearest))]
    UnknownFunction {
        /// As written.
        name: String,
        /// One with a similar name.
        nearest: Option<String>,
    },
    /// Too few or too many arguments.
    #[error("{function} takes {}, not {given}", arguments(*.least, *.most))]
    ArgumentCount {
        /// The function.
        function: &'static str,
        /// The fewest it takes.
        least: usize,
        /// The most it takes.
        most: usize,
        /// How many there are.
        given: usize,
    },
    /// A constant that the function cannot use.
    #[error("argument {number} of {function} is '{given}'; write {expected}")]
    BadArgument {
        /// The function.
        function: &'static str,
        /// Counted from 1.
        number: usize,
        /// As written.
        given: String,
        /// What it takes.
        expected: &'static str,
    },
    /// No such tag (Q195510).
    #[error("the {side} schema has no tag {tag}{}", did_you_mean(.nearest))]
    UnknownTag {
        /// As written.
        tag: String,
        /// Where it was looked for.
        side: Side,
        /// One with a similar name.
        nearest: Option<String>,
    },
    /// A tag that already has a rule or a schema line.
    #[error("{tag} was already given in line {first}; remove one of the two")]
    Duplicate {
        /// The tag.
        tag: String,
        /// Its first line.
        first: usize,
    },
    /// Two rules that write one attribute.
    #[error("{attribute} is already written by the rule in line {first}; remove one of the two")]
    SameAttribute {
        /// The native attribute.
        attribute: String,
        /// The first rule's line.
        first: usize,
    },
    /// No rule for what the target cannot do without.
    #[error("there is no rule for {tag}, which every entry needs; add a line '{tag} = ...'")]
    MissingRule {
        /// The target tag.
        tag: String,
    },
    /// A rule for a name or an address that gives nothing for any entry.
    #[error(
        "the rule gives {tag} nothing but blanks for every entry; use a tag of the source schema"
    )]
    AlwaysBlank {
        /// The target tag.
        tag: String,
    },
    /// A schema line without one of its columns.
    #[error("expected 'TAG LENGTH ATTRIBUTE', but there is no {column}")]
    MissingColumn {
        /// The column.
        column: &'static str,
    },
    /// See [`MAX_TAG`].
    #[error(
        "'{given}' is no tag: it has 1 to {MAX_TAG} letters, digits, '_' and '-', one of them not \
         a digit"
    )]
    BadTag {
        /// As written, shortened.
        given: String,
    },
    /// No length.
    #[error("'{given}' is no length: write a number of characters from 1 to {MAX_RESULT}")]
    BadLength {
        /// As written, shortened.
        given: String,
    },
    /// No attribute.
    #[error(
        "'{given}' is no attribute: write a name of at most {MAX_ATTRIBUTE} octets, or \
         Proxy-Addresses(TYPE:)"
    )]
    BadAttribute {
        /// As written, shortened.
        given: String,
    },
    /// A filter over something that entries do not have (the original let such
    /// a filter pass everything).
    #[error("entries have no attribute {attribute}{}", did_you_mean(.nearest))]
    UnknownAttribute {
        /// As written.
        attribute: String,
        /// One with a similar name.
        nearest: Option<String>,
    },
    /// Only two operators exist (Q241324).
    #[error("'{given}' is no operator; write EQ or NE (parts of values: EQ, Sales*)")]
    UnknownOperator {
        /// As written, shortened.
        given: String,
    },
    /// `|` and `&` in one filter.
    #[error("| and & cannot stand in one filter; make two filters, all of them have to be met")]
    MixedSeparators,
    /// See [`MAX_OPERANDS`].
    #[error("the filter has more than {MAX_OPERANDS} values; use * or several filters")]
    TooManyOperands,
}

fn arguments(least: usize, most: usize) -> String {
    match most {
        1 => "1 argument".to_owned(),
        most if most == least => format!("{most} arguments"),
        most => format!("{least} to {most} arguments"),
    }
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |name| format!("; did you mean {name}?"))
}

/// A mistake with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Counted from 1; 0 where it is about the whole table.
    pub line: usize,
    /// In characters, counted from 1; 0 where it is about the whole line.
    pub column: usize,
    /// What is wrong, and what to do.
    pub cause: Cause,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (0, _) => write!(f, "{}", self.cause),
            (line, 0) => write!(f, "line {line}: {}", self.cause),
            (line, column) => write!(f, "line {line}, column {column}: {}", self.cause),
        }
    }
}

/// Everything that is wrong, at most [`MAX_PROBLEMS`], in the order of the lines.
/// Never empty where it is an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, line: usize, column: usize, cause: Cause) {
        if self.0.len() < MAX_PROBLEMS {
            self.0.push(Problem { line, column, cause });
        }
    }

    /// The mistakes.
    pub fn list(&self) -> &[Problem] {
        &self.0
    }

    /// `value`, if there is no mistake.
    pub(crate) fn or<T>(mut self, value: T) -> Result<T, Self> {
        if self.0.is_empty() {
            return Ok(value);
        }
        self.0.sort_by_key(|problem| (problem.line, problem.column));
        Err(self)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl Fault for Problems {
    fn code(&self) -> &'static str {
        "mapping.refused"
    }

    fn retry(&self) -> Retry {
        Retry::Operator
    }
}

/// The name that was probably meant.
pub(crate) fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    /// Below it, names that merely share a few letters are offered.
    const SIMILAR: f64 = 0.8;
    let given = given.to_uppercase();
    known
        .map(|name| (strsim::jaro_winkler(&given, &name.to_uppercase()), name))
        .filter(|(likeness, _)| *likeness > SIMILAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name.to_owned())
}

/// The beginning of a text that did not fit, for messages.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

/// The lines of a table with their numbers, or why it is none.
pub(crate) fn lines<'a>(text: &'a str, problems: &mut Problems) -> Vec<(usize, &'a str)> {
    if text.len() > MAX_TABLE {
        problems.add(0, 0, Cause::TableTooLarge);
        return Vec::new();
    }
    // An editor's byte order mark is not part of the first tag.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let number = n + 1;
        if number > MAX_LINES {
            problems.add(number, 0, Cause::TooManyLines);
            break;
        }
        if line.len() > MAX_RULE {
            problems.add(number, 0, Cause::LineTooLong);
            continue;
        }
        found.push((number, line));
    }
    found
}
