//! The one error of the kit: what went wrong and where.

use std::fmt;
use std::panic::Location;

/// What went wrong, and the line of the test that met it.
///
/// Not an [`std::error::Error`] itself, so that `?` turns every other error
/// into it.
pub struct Trouble {
    text: String,
    at: &'static Location<'static>,
}

/// The result of everything in the kit.
pub type Result<T> = std::result::Result<T, Trouble>;

/// Trouble with a text of one's own.
#[track_caller]
pub fn trouble(text: impl Into<String>) -> Trouble {
    Trouble { text: text.into(), at: Location::caller() }
}

impl Trouble {
    /// The same trouble with what was being done in front.
    #[must_use]
    pub fn during(mut self, what: &str) -> Self {
        self.text = format!("{what}: {}", self.text);
        self
    }

    /// What went wrong.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl<E: std::error::Error> From<E> for Trouble {
    #[track_caller]
    fn from(error: E) -> Self {
        trouble(error.to_string())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at {}:{})", self.text, self.at.file(), self.at.line())
    }
}
