//! Errors as callers see them: a stable code, what a retry would bring, and
//! the status that mail protocols carry.

use std::fmt;

/// What a retry of the failed act would bring. Callers decide by this and by
/// the variant, never by an error's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// The same act may succeed later without anybody doing anything.
    Temporary,
    /// The same act will fail again.
    Permanent,
    /// It fails until the administrator mends something; the error says what.
    Operator,
    /// A defect of Concord.
    Bug,
}

/// An enhanced mail status code (RFC 3463), for example `5.1.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnhancedStatus {
    /// 2 success, 4 persistent transient failure, 5 permanent failure.
    pub class: u8,
    /// Subject (RFC 3463 section 3): 1 addressing, 2 mailbox, 3 mail system, ...
    pub subject: u16,
    /// Detail within the subject.
    pub detail: u16,
}

impl EnhancedStatus {
    /// A status from its three numbers.
    pub const fn new(class: u8, subject: u16, detail: u16) -> Self {
        Self { class, subject, detail }
    }
}

impl fmt::Display for EnhancedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// Implemented by every error type of Concord. One cause, one variant.
pub trait Fault: std::error::Error + Send + Sync + 'static {
    /// A stable code, dotted kebab case, `area.cause` (`store.folder-missing`).
    fn code(&self) -> &'static str;
    /// What a retry would bring.
    fn retry(&self) -> Retry;
    /// The status that a mail protocol should carry for it.
    fn enhanced_status(&self) -> EnhancedStatus {
        match self.retry() {
            Retry::Permanent => EnhancedStatus::new(5, 0, 0),
            Retry::Temporary | Retry::Operator | Retry::Bug => EnhancedStatus::new(4, 3, 0),
        }
    }
}
