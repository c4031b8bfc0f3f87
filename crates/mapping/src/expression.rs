//! The right side of a rule (Q180517).
//!
//! An expression is a sequence of terms whose values are joined. A term is a
//! text in quotes (`"` or `'`), a number, a tag of the source schema, or a call
//! of a function whose arguments are expressions. `;` begins a comment. Names of
//! tags and functions mean the same in either case.

use crate::function::Function;
use crate::lexer::{Token, TokenKind};
use crate::limits::MAX_DEPTH;
use crate::problem::{Cause, nearest};
use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Term {
    Literal(String),
    /// In upper case.
    Tag {
        tag: String,
        column: usize,
    },
    Call {
        function: Function,
        arguments: Vec<Expression>,
        column: usize,
    },
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Expression {
    pub(crate) terms: Vec<Term>,
}

/// What may begin a term; said wherever none does.
const A_TERM: &str = "a text in quotes, a tag, a number or a function";

pub(crate) type Place<T> = Result<T, (usize, Cause)>;

/// Reads tokens from the left to the right.
pub(crate) struct Parser<'a> {
    tokens: &'a [Token],
}

impl<'a> Parser<'a> {
    /// `tokens` as [`crate::lexer::tokens`] gives them.
    pub(crate) fn new(tokens: &'a [Token]) -> Self {
        Self { tokens }
    }

    fn peek(&self) -> (&'a TokenKind, usize) {
        self.tokens.first().map_or((&TokenKind::End, 0), |token| (&token.kind, token.column))
    }

    fn next(&mut self) -> (&'a TokenKind, usize) {
        let token = self.peek();
        // The end stays, so that what comes after it is the end again.
        if *token.0 != TokenKind::End {
            self.tokens = self.tokens.get(1..).unwrap_or_default();
        }
        token
    }

    /// The tag on the left of a rule, and the `=` behind it.
    pub(crate) fn target(&mut self) -> Place<(String, usize)> {
        let (tag, column) = match self.next() {
            (TokenKind::Word(word), column) => (word.to_uppercase(), column),
            (other, column) => return Err(expected("a tag and =", other, column)),
        };
        match self.next() {
            (TokenKind::Equals, _) => Ok((tag, column)),
            (other, column) => Err(expected("= behind the tag", other, column)),
        }
    }

    /// Everything that is left.
    pub(crate) fn whole(&mut self) -> Place<Expression> {
        let expression = self.expression(0)?;
        match self.next() {
            (TokenKind::End, _) => Ok(expression),
            (other, column) => Err(expected(A_TERM, other, column)),
        }
    }

    fn expression(&mut self, depth: usize) -> Place<Expression> {
        let mut terms = Vec::new();
        loop {
            match self.peek() {
                (TokenKind::Text(text), _) => {
                    self.next();
                    terms.push(Term::Literal(text.clone()));
                }
                (TokenKind::Word(word), column) => {
                    self.next();
                    terms.push(self.word(word, column, depth)?);
                }
                _ => return Ok(Expression { terms }),
            }
        }
    }

    fn word(&mut self, word: &str, column: usize, depth: usize) -> Place<Term> {
        if *self.peek().0 != TokenKind::Open {
            if word.chars().all(|c| c.is_ascii_digit()) {
                return Ok(Term::Literal(word.to_owned()));
            }
            return Ok(Term::Tag { tag: word.to_uppercase(), column });
        }
        self.next();
        if depth >= MAX_DEPTH {
            return Err((column, Cause::TooDeep));
        }
        let function = Function::named(word).ok_or_else(|| {
            let known = Function::ALL.iter().map(|function| function.name());
            (
                column,
                Cause::UnknownFunction { name: word.to_owned(), nearest: nearest(word, known) },
            )
        })?;
        let mut arguments = Vec::new();
        loop {
            let argument = self.expression(depth + 1)?;
            let (next, at) = self.next();
            let more = match next {
                TokenKind::Comma => true,
                TokenKind::Close => false,
                TokenKind::End => return Err(expected(") to end the call", next, at)),
                other => return Err(expected(A_TERM, other, at)),
            };
            if argument.terms.is_empty() {
                let wanted = "an argument (write \"\" for an empty one)";
                return Err(expected(wanted, next, at));
            }
            arguments.push(argument);
            if !more {
                break;
            }
        }
        function.check(&arguments).map_err(|cause| (column, cause))?;
        Ok(Term::Call { function, arguments, column })
    }
}

fn expected(expected: &'static str, found: &TokenKind, column: usize) -> (usize, Cause) {
    (column, Cause::Expected { expected, found: found.to_string() })
}

impl Expression {
    /// Every tag with its column, from the left to the right.
    pub(crate) fn tags(&self) -> Vec<(&str, usize)> {
        let mut found = Vec::new();
        self.visit(&mut |term| {
            if let Term::Tag { tag, column } = term {
                found.push((tag.as_str(), *column));
            }
        });
        found
    }

    /// Every call with its arguments and column, from the left to the right.
    pub(crate) fn calls(&self) -> Vec<(Function, &[Expression], usize)> {
        let mut found = Vec::new();
        self.visit(&mut |term| {
            if let Term::Call { function, arguments, column } = term {
                found.push((*function, arguments.as_slice(), *column));
            }
        });
        found
    }

    fn visit<'a>(&'a self, see: &mut impl FnMut(&'a Term)) {
        for term in &self.terms {
            see(term);
            if let Term::Call { arguments, .. } = term {
                for argument in arguments {
                    argument.visit(see);
                }
            }
        }
    }

    /// Its value, where it is the same for every entry and needs no settings.
    pub(crate) fn constant(&self) -> Option<String> {
        let mut value = String::new();
        for term in &self.terms {
            match term {
                Term::Literal(text) => value.push_str(text),
                Term::Tag { .. } | Term::Call { .. } => return None,
            }
        }
        Some(value)
    }

    /// Whether it gives nothing but blanks, whatever the entry.
    pub(crate) fn always_blank(&self) -> bool {
        self.terms.iter().all(Term::always_blank)
    }
}

impl Term {
    fn always_blank(&self) -> bool {
        match self {
            Self::Literal(text) => text.trim().is_empty(),
            Self::Tag { .. } => false,
            Self::Call { function, arguments, .. } => function.always_blank(arguments),
        }
    }
}

impl fmt::Display for Expression {
    /// The canonical form: two expressions that differ in blanks, case of names
    /// or comments only are written alike.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, term) in self.terms.iter().enumerate() {
            if n > 0 {
                f.write_str(" ")?;
            }
            match term {
                Term::Literal(text) if text.contains('"') => write!(f, "'{text}'")?,
                Term::Literal(text) => write!(f, "\"{text}\"")?,
                Term::Tag { tag, .. } => f.write_str(tag)?,
                Term::Call { function, arguments, .. } => {
                    write!(f, "{}(", function.name())?;
                    for (n, argument) in arguments.iter().enumerate() {
                        let comma = if n > 0 { ", " } else { "" };
                        write!(f, "{comma}{argument}")?;
                    }
                    f.write_str(")")?;
                }
            }
        }
        Ok(())
    }
}
