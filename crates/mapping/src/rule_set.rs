//! Rules in force: compiled against both schemas, and never changed.
//!
//! New rules are a new [`RuleSet`]. So where activation fails, the old ones stay
//! in force and synchronisation goes on (Q195510: one undefined tag stopped it).

use crate::attribute::{Attribute, Attributes};
use crate::evaluate::{Scope, TooLong};
use crate::expression::Term;
use crate::limits::MAX_RESULT;
use crate::parameters::Parameters;
use crate::problem::{Cause, Problems, Side, nearest};
use crate::rule_table::{Rule, RuleTable};
use crate::schema::{SchemaLine, SchemaTable};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;

/// What the target of the rules cannot do without.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs<'a> {
    /// Target tags that need a rule, and one that can give something (Q189790).
    pub tags: &'a [&'a str],
}

/// Something that will probably not do what was meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The rule's line, counted from 1; 0 for a shipped rule.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// The target tag.
    pub tag: String,
    /// The function that fills up with blanks (Q196585).
    pub function: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, tag, function } = self;
        write!(
            f,
            "line {line}, column {column}: {function} fills up with blanks where its text is \
             shorter, and {tag} is an address; put TRIM around it"
        )
    }
}

/// What happened to a value of one entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "kebab-case")]
pub enum Notice {
    /// It was longer than the schema says, and cut.
    Cut {
        /// The tag.
        tag: String,
        /// Characters that were kept.
        length: usize,
        /// Characters that it had.
        characters: usize,
    },
    /// The rule's result has more than [`MAX_RESULT`] characters; the attribute
    /// is left as it is.
    TooLong {
        /// The target tag.
        tag: String,
        /// The rule's line.
        line: usize,
    },
    /// The address would have blanks where none may be; it is left as it is
    /// (Q196585).
    BlankInAddress {
        /// The target tag.
        tag: String,
        /// The rule's line.
        line: usize,
        /// What the rule gave.
        value: String,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut { tag, length, characters } => {
                write!(f, "{tag} has {characters} characters and was cut to {length}")
            }
            Self::TooLong { tag, line } => write!(
                f,
                "the rule in line {line} gives {tag} more than {MAX_RESULT} characters; it is \
                 left as it is"
            ),
            Self::BlankInAddress { tag, line, value } => write!(
                f,
                "the rule in line {line} gives {tag} the address '{value}' with a blank; it is \
                 left as it is"
            ),
        }
    }
}

/// A value for the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedValue {
    /// The target tag.
    pub tag: String,
    /// The native attribute.
    pub attribute: Attribute,
    /// Empty: the attribute has no value.
    pub text: String,
}

/// What the rules make of one entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapped {
    /// One for each rule that could be used, in the order of the tags.
    pub values: Vec<MappedValue>,
    /// Attributes whose rules gave what cannot be written: to be left alone.
    pub refused: Vec<Attribute>,
    /// What to tell the administrator.
    pub notices: Vec<Notice>,
}

impl Mapped {
    /// The value of a tag, empty if there is none.
    pub fn get(&self, tag: &str) -> &str {
        let found = self.values.iter().find(|value| value.tag.eq_ignore_ascii_case(tag));
        found.map(|value| value.text.as_str()).unwrap_or_default()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Compiled {
    rule: Rule,
    target: SchemaLine,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSet {
    rules: Vec<Compiled>,
    source: SchemaTable,
    warnings: Vec<Warning>,
}

impl RuleSet {
    /// Puts rules in force.
    ///
    /// # Errors
    /// Everything that does not fit the schemas and the needs of the target.
    pub fn activate(
        table: &RuleTable,
        source: &SchemaTable,
        target: &SchemaTable,
        needs: Needs<'_>,
    ) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let mut rules: Vec<Compiled> = Vec::new();
        let mut written: HashMap<Attribute, usize> = HashMap::new();
        for rule in table.rules().filter(|rule| !rule.expression.terms.is_empty()) {
            unknown_sources(rule, source, &mut problems);
            let needed = needs.tags.iter().any(|tag| tag.eq_ignore_ascii_case(&rule.tag));
            if needed && rule.expression.always_blank() {
                let cause = Cause::AlwaysBlank { tag: rule.tag.clone() };
                problems.add(rule.line, rule.column, cause);
            }
            let Some(line) = target.get(&rule.tag) else {
                let known = target.lines().map(|line| line.tag.as_str());
                let nearest = nearest(&rule.tag, known);
                let cause =
                    Cause::UnknownTag { tag: rule.tag.clone(), side: Side::Target, nearest };
                problems.add(rule.line, rule.column, cause);
                continue;
            };
            if let Some(first) = written.insert(line.attribute.clone(), rule.line) {
                let attribute = line.attribute.to_string();
                problems.add(rule.line, rule.column, Cause::SameAttribute { attribute, first });
            }
            rules.push(Compiled { rule: rule.clone(), target: line.clone() });
        }
        for tag in needs.tags {
            let given = |rule: &Rule| rule.tag.eq_ignore_ascii_case(tag);
            if !table.rules().any(|rule| given(rule) && !rule.expression.terms.is_empty()) {
                problems.add(0, 0, Cause::MissingRule { tag: (*tag).to_owned() });
            }
        }
        let warnings = rules.iter().flat_map(warnings).collect();
        problems.or(Self { rules, source: source.clone(), warnings })
    }

    /// What will probably not do what was meant.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The schema that entries come with.
    pub fn source(&self) -> &SchemaTable {
        &self.source
    }

    /// The attributes that these rules write. No other one is compared
    /// (Q250450).
    pub fn written(&self) -> impl Iterator<Item = &Attribute> {
        self.rules.iter().map(|compiled| &compiled.target.attribute)
    }

    /// What becomes of an entry.
    pub fn apply(&self, entry: &Attributes, parameters: &Parameters) -> Mapped {
        let mut mapped = Mapped::default();
        let values = self.source.values(entry, &mut mapped.notices);
        let scope = Scope { values: &values, parameters };
        for Compiled { rule, target } in &self.rules {
            let (tag, line) = (rule.tag.clone(), rule.line);
            let refusal = match scope.value(&rule.expression) {
                Err(TooLong) => Notice::TooLong { tag, line },
                Ok(value) if has_wrong_blank(&target.attribute, &value) => {
                    Notice::BlankInAddress { tag, line, value }
                }
                Ok(value) => {
                    let text = target.fit(value, &mut mapped.notices);
                    let attribute = target.attribute.clone();
                    mapped.values.push(MappedValue { tag, attribute, text });
                    continue;
                }
            };
            mapped.notices.push(refusal);
            mapped.refused.push(target.attribute.clone());
        }
        mapped
    }
}

fn unknown_sources(rule: &Rule, source: &SchemaTable, problems: &mut Problems) {
    for (tag, column) in rule.expression.tags() {
        if source.get(tag).is_none() {
            let nearest = nearest(tag, source.lines().map(|line| line.tag.as_str()));
            let cause = Cause::UnknownTag { tag: tag.to_owned(), side: Side::Source, nearest };
            problems.add(rule.line, column, cause);
        }
    }
}

fn warnings(compiled: &Compiled) -> Vec<Warning> {
    let rule = &compiled.rule;
    if !compiled.target.attribute.is_address() {
        return Vec::new();
    }
    // TRIM takes the blanks of a call away that is all that it is given.
    let trimmed: Vec<usize> = rule
        .expression
        .calls()
        .into_iter()
        .filter(|(function, _, _)| *function == crate::function::Function::Trim)
        .filter_map(|(_, arguments, _)| match arguments.first()?.terms.as_slice() {
            [Term::Call { column, .. }] => Some(*column),
            _ => None,
        })
        .collect();
    rule.expression
        .calls()
        .into_iter()
        .filter(|(function, arguments, _)| function.fills_with_blanks(arguments))
        .filter(|(_, _, column)| !trimmed.contains(column))
        .map(|(function, _, column)| Warning {
            line: rule.line,
            column,
            tag: rule.tag.clone(),
            function: function.name().to_owned(),
        })
        .collect()
}

/// Addresses of the Internet have no blanks at all, others none at their ends.
fn has_wrong_blank(attribute: &Attribute, value: &str) -> bool {
    let (kind, value) = match attribute {
        Attribute::Primary(kind) | Attribute::Secondary(kind) => (kind.as_str(), value),
        named if named.is_address() => value.split_once(':').unwrap_or(("SMTP", value)),
        Attribute::Named(_) => return false,
    };
    if kind.eq_ignore_ascii_case("SMTP") {
        value.contains(char::is_whitespace)
    } else {
        value.trim() != value
    }
}
