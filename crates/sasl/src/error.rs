//! How making credentials and checking passwords fails.

use concord_base::{EnhancedStatus, Fault, Retry};
use concord_directory::DirectoryError;

/// A password cannot be used, or a login could not be decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SaslError {
    /// The empty password.
    #[error("cannot use this password: it is empty")]
    PasswordEmpty,
    /// Longer than [`crate::MAX_PASSWORD`].
    #[error("cannot use this password: it is longer than {limit} octets")]
    PasswordTooLong {
        /// The limit in octets.
        limit: usize,
    },
    /// Characters that RFC 4013 (SASLprep) prohibits.
    #[error("cannot use this password: it has control, unassigned or mixed-direction characters")]
    PasswordCharacters,
    /// Too many logins wait for their turn.
    #[error("cannot check the login now: {waiting} others wait; try again")]
    Busy {
        /// How many wait.
        waiting: usize,
    },
    /// The directory could not be read.
    #[error("cannot check the login: {0}")]
    Directory(#[from] DirectoryError),
    /// A library refused what we hold valid.
    #[error("internal error: {0}")]
    Bug(String),
}

impl Fault for SaslError {
    fn code(&self) -> &'static str {
        match self {
            Self::PasswordEmpty => "sasl.password-empty",
            Self::PasswordTooLong { .. } => "sasl.password-too-long",
            Self::PasswordCharacters => "sasl.password-characters",
            Self::Busy { .. } => "sasl.busy",
            Self::Directory(e) => e.code(),
            Self::Bug(_) => "sasl.bug",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::PasswordEmpty | Self::PasswordTooLong { .. } | Self::PasswordCharacters => {
                Retry::Permanent
            }
            Self::Busy { .. } => Retry::Temporary,
            Self::Directory(e) => e.retry(),
            Self::Bug(_) => Retry::Bug,
        }
    }

    fn enhanced_status(&self) -> EnhancedStatus {
        match self {
            Self::Directory(e) => e.enhanced_status(),
            // RFC 4954 section 6: 4.7.0 temporary authentication failure
            _ if self.retry() == Retry::Permanent => EnhancedStatus::new(5, 7, 8),
            _ => EnhancedStatus::new(4, 7, 0),
        }
    }
}
