//! What can go wrong.

use concord_base::{EnhancedStatus, Fault, Retry};

/// Why text cannot be written, or a page not be found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EbcdicError {
    /// No page has this name.
    #[error(
        "there is no code page {0:?}; known are 037, 273, 277, 278, 280, 284, 285, 297, 500, 871, 1047 and 1140 to 1149"
    )]
    UnknownPage(String),
    /// A character that the page does not have, where none may be replaced.
    #[error(
        "cannot write {character:?} (character {at}) in code page {page}: the page does not have it"
    )]
    Unsaid {
        /// The character.
        character: char,
        /// Its place in the text, in characters from 0.
        at: usize,
        /// The page's number.
        page: u16,
    },
}

impl Fault for EbcdicError {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownPage(_) => "ebcdic.unknown-page",
            Self::Unsaid { .. } => "ebcdic.character-unsaid",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::UnknownPage(_) => Retry::Operator,
            Self::Unsaid { .. } => Retry::Permanent,
        }
    }

    fn enhanced_status(&self) -> EnhancedStatus {
        match self {
            Self::UnknownPage(_) => EnhancedStatus::new(4, 3, 5),
            // RFC 3463: conversion required but not supported.
            Self::Unsaid { .. } => EnhancedStatus::new(5, 6, 3),
        }
    }
}
