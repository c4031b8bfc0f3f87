//! Why a command fails and why a session ends.

use concord_base::{Fault as _, Retry};
use concord_sasl::SaslError;
use concord_store::StoreError;
use std::io;

/// Why a session ends.
#[derive(Debug)]
pub(crate) enum End {
    /// The client closed the connection, or reset it.
    Closed,
    /// LOGOUT.
    Logout,
    /// The socket failed.
    Io(io::Error),
    /// The client did not read its answers in time.
    Stuck,
    /// We end it, and say so.
    Bye(&'static str),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Io(error),
        }
    }
}

/// Why a command fails.
#[derive(Debug)]
pub(crate) enum Fail {
    /// `NO`: a response code (RFC 5530) without its brackets, may be empty, and
    /// the text.
    No(&'static str, String),
    /// `BAD`: the command makes no sense here.
    Bad(&'static str),
    /// The session ends with it.
    End(End),
}

impl From<End> for Fail {
    fn from(end: End) -> Self {
        Self::End(end)
    }
}

impl From<StoreError> for Fail {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::FolderMissing(_) | StoreError::FolderGone(_) => "NONEXISTENT",
            StoreError::FolderExists(_) => "ALREADYEXISTS",
            StoreError::FolderFixed { .. } => "CANNOT",
            StoreError::MessageGone(_) => "EXPUNGEISSUED",
            StoreError::OverQuota { .. } => "OVERQUOTA",
            StoreError::TooMany { .. } => "LIMIT",
            StoreError::MailboxGone(_) => return Self::End(End::Bye("the mailbox was removed")),
            StoreError::Storage(e) => {
                if e.retry() != Retry::Temporary {
                    tracing::error!(error = %e, code = e.code(), "the store failed");
                    // its words name files; those are the operator's, not the client's
                    return Self::No("SERVERBUG", "the server's storage failed".to_owned());
                }
                "UNAVAILABLE"
            }
        };
        Self::No(code, error.to_string())
    }
}

impl From<SaslError> for Fail {
    fn from(error: SaslError) -> Self {
        tracing::warn!(%error, code = error.code(), "a login could not be decided");
        Self::No("UNAVAILABLE", "cannot check logins now, try again".to_owned())
    }
}

/// What a command comes to.
pub(crate) type Outcome<T = Done> = Result<T, Fail>;

/// The tagged `OK` of a command.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// A response code without its brackets; may be empty.
    pub code: String,
    /// The text.
    pub text: &'static str,
}

impl Done {
    pub(crate) fn new(text: &'static str) -> Self {
        Self { code: String::new(), text }
    }

    pub(crate) fn with_code(code: impl Into<String>, text: &'static str) -> Self {
        Self { code: code.into(), text }
    }
}
