//! What is wrong with a configuration file.

use concord_base::{Fault, Retry};
use std::fmt;
use std::path::PathBuf;

/// One mistake in the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// Counted from 1; 0 if the mistake is the file's as a whole.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// The key as `section.key`, if it is one key's.
    pub key: Option<String>,
    /// What is wrong and what to do.
    pub what: String,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read {}: {cause}; {advice}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The system's words.
        cause: std::io::Error,
        /// What to do.
        advice: &'static str,
    },
    /// The file was read and is wrong; every mistake, in the order of lines.
    #[error("{}", Listing { file, mistakes })]
    Mistakes {
        /// The file, as the reader should name it.
        file: PathBuf,
        /// At least one.
        mistakes: Vec<Mistake>,
    },
}

struct Listing<'a> {
    file: &'a PathBuf,
    mistakes: &'a [Mistake],
}

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.mistakes.len();
        let noun = if count == 1 { "mistake" } else { "mistakes" };
        write!(f, "cannot use {}: {count} {noun}", self.file.display())?;
        for mistake in self.mistakes {
            write!(f, "\n  {}:", self.file.display())?;
            if mistake.line > 0 {
                write!(f, "{}:{}:", mistake.line, mistake.column)?;
            }
            f.write_str(" ")?;
            if let Some(key) = &mistake.key {
                write!(f, "{key}: ")?;
            }
            f.write_str(&mistake.what)?;
        }
        Ok(())
    }
}

impl Fault for SettingsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "settings.unreadable",
            Self::Mistakes { .. } => "settings.mistakes",
        }
    }

    fn retry(&self) -> Retry {
        Retry::Operator
    }
}
