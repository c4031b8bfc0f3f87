//! The value of an expression for one entry.

use crate::expression::{Expression, Term};
use crate::limits::MAX_RESULT;
use crate::parameters::Parameters;
use std::collections::BTreeMap;

/// A value has more than [`MAX_RESULT`] characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLong;

/// What a rule sees.
pub(crate) struct Scope<'a> {
    /// Of the source entry, by tag in upper case.
    pub(crate) values: &'a BTreeMap<String, String>,
    pub(crate) parameters: &'a Parameters,
}

impl Scope<'_> {
    pub(crate) fn value(&self, expression: &Expression) -> Result<String, TooLong> {
        let mut value = String::new();
        for term in &expression.terms {
            match term {
                Term::Literal(text) => value.push_str(text),
                Term::Tag { tag, .. } => {
                    value.push_str(self.values.get(tag).map(String::as_str).unwrap_or_default());
                }
                Term::Call { function, arguments, .. } => {
                    let arguments: Result<Vec<String>, TooLong> =
                        arguments.iter().map(|argument| self.value(argument)).collect();
                    value.push_str(&function.call(&arguments?, self.parameters));
                }
            }
            // Octets are at least as many as characters, and need no counting.
            if value.len() > MAX_RESULT && value.chars().count() > MAX_RESULT {
                return Err(TooLong);
            }
        }
        Ok(value)
    }
}
