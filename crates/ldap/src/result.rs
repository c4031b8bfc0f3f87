//! Results (RFC 4511 section 4.1.9) and how causes become them.

use concord_base::{Fault as _, Retry, StorageError};
use concord_directory::DirectoryError;
use concord_sasl::SaslError;

/// Result codes (RFC 4511 appendix A, RFC 4528).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i16)]
pub(crate) enum Code {
    Success = 0,
    OperationsError = 1,
    ProtocolError = 2,
    TimeLimitExceeded = 3,
    SizeLimitExceeded = 4,
    CompareFalse = 5,
    CompareTrue = 6,
    AuthMethodNotSupported = 7,
    AdminLimitExceeded = 11,
    UnavailableCriticalExtension = 12,
    ConfidentialityRequired = 13,
    SaslBindInProgress = 14,
    NoSuchAttribute = 16,
    UndefinedAttributeType = 17,
    InappropriateMatching = 18,
    ConstraintViolation = 19,
    AttributeOrValueExists = 20,
    InvalidAttributeSyntax = 21,
    NoSuchObject = 32,
    InvalidDnSyntax = 34,
    InvalidCredentials = 49,
    InsufficientAccessRights = 50,
    Busy = 51,
    Unavailable = 52,
    UnwillingToPerform = 53,
    NamingViolation = 64,
    ObjectClassViolation = 65,
    NotAllowedOnNonLeaf = 66,
    NotAllowedOnRdn = 67,
    EntryAlreadyExists = 68,
    ObjectClassModsProhibited = 69,
    Other = 80,
}

/// Why an operation was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub code: Code,
    /// For people: what is wrong, and what to do.
    pub message: String,
    /// The nearest entry that there is (RFC 4511 section 4.1.9).
    pub matched: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&told(i64::from(self.code as i16), &self.message))
    }
}

impl Refusal {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), matched: String::new() }
    }
}

/// A result for people: the diagnostic, then the code's name and number.
pub(crate) fn told(code: i64, message: &str) -> String {
    let name = NAMES.iter().find(|(number, _)| *number == code).map(|(_, name)| *name);
    let name = name.map_or_else(|| format!("LDAP {code}"), |name| format!("{name}, LDAP {code}"));
    if message.is_empty() { name } else { format!("{message} ({name})") }
}

/// The names of RFC 4511 appendix A of what is answered here.
const NAMES: &[(i64, &str)] = &[
    (1, "operationsError"),
    (2, "protocolError"),
    (3, "timeLimitExceeded"),
    (4, "sizeLimitExceeded"),
    (11, "adminLimitExceeded"),
    (12, "unavailableCriticalExtension"),
    (13, "confidentialityRequired"),
    (16, "noSuchAttribute"),
    (17, "undefinedAttributeType"),
    (19, "constraintViolation"),
    (20, "attributeOrValueExists"),
    (21, "invalidAttributeSyntax"),
    (32, "noSuchObject"),
    (34, "invalidDNSyntax"),
    (49, "invalidCredentials"),
    (50, "insufficientAccessRights"),
    (51, "busy"),
    (52, "unavailable"),
    (53, "unwillingToPerform"),
    (64, "namingViolation"),
    (65, "objectClassViolation"),
    (66, "notAllowedOnNonLeaf"),
    (67, "notAllowedOnRDN"),
    (68, "entryAlreadyExists"),
    (69, "objectClassModsProhibited"),
    (80, "other"),
];

/// What an operation gives.
pub(crate) type Outcome<T> = Result<T, Refusal>;

impl From<DirectoryError> for Refusal {
    fn from(error: DirectoryError) -> Self {
        let code = match &error {
            DirectoryError::NotFound { .. } => Code::ConstraintViolation,
            DirectoryError::NameTaken { .. } => Code::EntryAlreadyExists,
            DirectoryError::AddressTaken { .. } | DirectoryError::Invalid { .. } => {
                Code::ConstraintViolation
            }
            DirectoryError::InUse { .. } => Code::UnwillingToPerform,
            DirectoryError::Storage(StorageError::DiskFull { .. }) => Code::Busy,
            DirectoryError::Storage(cause) => match cause.retry() {
                Retry::Bug => Code::Other,
                _ => Code::Unavailable,
            },
        };
        Self::new(code, error.to_string())
    }
}

impl From<SaslError> for Refusal {
    fn from(error: SaslError) -> Self {
        let code = match &error {
            SaslError::PasswordEmpty
            | SaslError::PasswordTooLong { .. }
            | SaslError::PasswordCharacters => Code::ConstraintViolation,
            SaslError::Busy { .. } => Code::Busy,
            SaslError::Directory(_) => Code::Unavailable,
            SaslError::Bug(_) => Code::Other,
        };
        Self::new(code, error.to_string())
    }
}
