//! A rule's text as tokens.

use crate::problem::Cause;
use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Between quotes, `"` or `'`.
    Text(String),
    /// A tag, the name of a function, or a number.
    Word(String),
    Open,
    Close,
    Comma,
    Equals,
    Other(char),
    /// Of the line, or a comment.
    End,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    /// In characters, counted from 1.
    pub(crate) column: usize,
}

impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "\"{}\"", crate::problem::shortened(text)),
            Self::Word(word) => write!(f, "{}", crate::problem::shortened(word)),
            Self::Open => f.write_str("("),
            Self::Close => f.write_str(")"),
            Self::Comma => f.write_str(","),
            Self::Equals => f.write_str("="),
            Self::Other(c) => write!(f, "{c}"),
            Self::End => f.write_str("the end of the line"),
        }
    }
}

/// What tags and the names of functions consist of.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

/// The tokens of a line; the last one is [`TokenKind::End`].
pub(crate) fn tokens(line: &str) -> Result<Vec<Token>, (usize, Cause)> {
    let mut found = Vec::new();
    let mut characters = line.chars().zip(1_usize..).peekable();
    let mut end = 1;
    while let Some((c, column)) = characters.next() {
        end = column + 1;
        let kind = match c {
            ';' => {
                end = column;
                break;
            }
            c if c.is_whitespace() => continue,
            '(' => TokenKind::Open,
            ')' => TokenKind::Close,
            ',' => TokenKind::Comma,
            '=' => TokenKind::Equals,
            quote @ ('"' | '\'') => {
                let mut text = String::new();
                loop {
                    match characters.next() {
                        Some((c, _)) if c == quote => break,
                        Some((c, _)) => text.push(c),
                        None => return Err((column, Cause::UnclosedQuote { quote })),
                    }
                }
                TokenKind::Text(text)
            }
            c if is_word(c) => {
                let mut word = String::from(c);
                while let Some((c, _)) = characters.next_if(|(c, _)| is_word(*c)) {
                    word.push(c);
                }
                TokenKind::Word(word)
            }
            c => TokenKind::Other(c),
        };
        found.push(Token { kind, column });
    }
    found.push(Token { kind: TokenKind::End, column: end });
    Ok(found)
}
