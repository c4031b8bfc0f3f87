//! How store acts fail.

use concord_base::{EnhancedStatus, Fault, FolderId, MailboxId, MessageId, Retry, StorageError};

/// A store act could not be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No such folder.
    #[error("there is no folder '{0}'")]
    FolderMissing(String),
    /// The folder was removed while it was in use.
    #[error("folder {0} is gone")]
    FolderGone(FolderId),
    /// The name is taken.
    #[error("there is a folder '{0}' already")]
    FolderExists(String),
    /// INBOX and its like cannot be removed or take another's name.
    #[error("the folder '{name}' cannot be {act}")]
    FolderFixed {
        /// The folder.
        name: String,
        /// What was tried, a participle.
        act: &'static str,
    },
    /// No such mailbox.
    #[error("mailbox {0} is gone")]
    MailboxGone(MailboxId),
    /// The message was removed.
    #[error("message {0} is gone")]
    MessageGone(MessageId),
    /// The mailbox is full.
    #[error("the mailbox is full: {used} of {limit} bytes are in use")]
    OverQuota {
        /// Bytes in use.
        used: u64,
        /// The limit.
        limit: u64,
    },
    /// Too many folders, keywords or the like.
    #[error("too many {what}: the limit is {limit}")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The storage could not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Fault for StoreError {
    fn code(&self) -> &'static str {
        match self {
            Self::FolderMissing(_) => "store.folder-missing",
            Self::FolderGone(_) => "store.folder-gone",
            Self::FolderExists(_) => "store.folder-exists",
            Self::FolderFixed { .. } => "store.folder-fixed",
            Self::MailboxGone(_) => "store.mailbox-gone",
            Self::MessageGone(_) => "store.message-gone",
            Self::OverQuota { .. } => "store.over-quota",
            Self::TooMany { .. } => "store.too-many",
            Self::Storage(e) => e.code(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Storage(e) => e.retry(),
            Self::OverQuota { .. } => Retry::Temporary,
            _ => Retry::Permanent,
        }
    }

    fn enhanced_status(&self) -> EnhancedStatus {
        match self {
            Self::Storage(e) => e.enhanced_status(),
            // RFC 3463 X.2.2 mailbox full; temporary, because people tidy up
            Self::OverQuota { .. } => EnhancedStatus::new(4, 2, 2),
            Self::MailboxGone(_) => EnhancedStatus::new(5, 1, 1),
            _ => EnhancedStatus::new(5, 0, 0),
        }
    }
}
