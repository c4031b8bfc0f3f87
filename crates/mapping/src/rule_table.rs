//! Rule tables: `TAG = expression`, one rule a line.

use crate::expression::{Expression, Parser};
use crate::lexer::{Token, TokenKind, tokens};
use crate::problem::{Cause, Problems, lines};
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    /// The target tag, in upper case.
    pub(crate) tag: String,
    pub(crate) column: usize,
    /// Without terms: there is no rule for this tag, not even a shipped one.
    pub(crate) expression: Expression,
    /// Counted from 1; 0 for a rule of the shipped table.
    pub(crate) line: usize,
}

/// A table that reads, not yet held against schemas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleTable {
    rules: BTreeMap<String, Rule>,
}

impl RuleTable {
    /// Reads a table. A rule without a right side takes away the shipped rule of
    /// its tag.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let mut rules: BTreeMap<String, Rule> = BTreeMap::new();
        for (number, line) in lines(text, &mut problems) {
            match rule(number, line) {
                Err((column, cause)) => problems.add(number, column, cause),
                Ok(None) => {}
                Ok(Some(found)) => match rules.get(&found.tag) {
                    Some(first) => {
                        let cause = Cause::Duplicate { tag: found.tag, first: first.line };
                        problems.add(number, found.column, cause);
                    }
                    None => drop(rules.insert(found.tag.clone(), found)),
                },
            }
        }
        problems.or(Self { rules })
    }

    pub(crate) fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }

    /// Rules that give something.
    pub fn len(&self) -> usize {
        self.rules().filter(|rule| !rule.expression.terms.is_empty()).count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn rule(number: usize, line: &str) -> Result<Option<Rule>, (usize, Cause)> {
    let tokens = tokens(line)?;
    if matches!(tokens.as_slice(), [] | [Token { kind: TokenKind::End, .. }]) {
        return Ok(None);
    }
    let mut parser = Parser::new(&tokens);
    let (tag, column) = parser.target()?;
    let expression = parser.whole()?;
    Ok(Some(Rule { tag, column, expression, line: number }))
}

impl crate::customise::Table for RuleTable {
    fn canonical(&self) -> BTreeMap<String, String> {
        let written = |rule: &Rule| {
            let right = rule.expression.to_string();
            (rule.tag.clone(), format!("{} = {right}", rule.tag).trim_end().to_owned())
        };
        self.rules().map(written).collect()
    }

    fn over(&self, defaults: &Self) -> Self {
        let mut rules = self.rules.clone();
        for (tag, rule) in &defaults.rules {
            let inherited = || Rule { line: 0, column: 0, ..rule.clone() };
            rules.entry(tag.clone()).or_insert_with(inherited);
        }
        Self { rules }
    }
}
