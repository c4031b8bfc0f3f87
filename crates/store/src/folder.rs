//! Folders and items.

use crate::FlagSet;
use concord_base::{FolderId, MailboxId, MessageId, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Deeper trees are made by accident only, and clients choke on them.
const MAX_DEPTH: usize = 32;
/// Octets of a whole folder name.
const MAX_NAME: usize = 512;

/// A folder's full name: levels split by `/`, in Unicode. `INBOX` in any case
/// is `INBOX`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FolderName(Arc<str>);

/// The text is not a folder name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{name}' is not a folder name: {cause}")]
pub struct ParseFolderNameError {
    /// What was given, shortened.
    pub name: String,
    /// What does not fit.
    pub cause: &'static str,
}

impl FolderName {
    /// Between the levels of a name.
    pub const SEPARATOR: char = '/';

    /// The mailbox's inbox.
    pub fn inbox() -> Self {
        Self("INBOX".into())
    }
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Whether it is the inbox.
    pub fn is_inbox(&self) -> bool {
        &*self.0 == "INBOX"
    }
    /// The name of the folder above, if any.
    pub fn parent(&self) -> Option<FolderName> {
        self.0.rsplit_once(Self::SEPARATOR).map(|(above, _)| Self(above.into()))
    }
    /// If `self` is below `old`, its name once `old` is called `new`.
    pub fn moved(&self, old: &FolderName, new: &FolderName) -> Option<FolderName> {
        let rest = self.0.strip_prefix(&*old.0)?;
        rest.starts_with(Self::SEPARATOR).then(|| Self(format!("{}{rest}", new.0).into()))
    }
}

impl FromStr for FolderName {
    type Err = ParseFolderNameError;

    fn from_str(text: &str) -> Result<Self, ParseFolderNameError> {
        let fail = |cause| ParseFolderNameError { name: text.chars().take(80).collect(), cause };
        if text.len() > MAX_NAME {
            return Err(fail("it is longer than 512 octets"));
        }
        if text.chars().any(char::is_control) {
            return Err(fail("it has a control character"));
        }
        let (first, rest) = match text.split_once(Self::SEPARATOR) {
            Some((first, rest)) => (first, Some(rest)),
            None => (text, None),
        };
        if text.split(Self::SEPARATOR).any(str::is_empty) {
            return Err(fail("a level is empty"));
        }
        if text.split(Self::SEPARATOR).count() > MAX_DEPTH {
            return Err(fail("it has more than 32 levels"));
        }
        if first.eq_ignore_ascii_case("INBOX") {
            return Ok(match rest {
                Some(rest) => Self(format!("INBOX/{rest}").into()),
                None => Self::inbox(),
            });
        }
        Ok(Self(text.into()))
    }
}

impl TryFrom<String> for FolderName {
    type Error = ParseFolderNameError;
    fn try_from(text: String) -> Result<Self, ParseFolderNameError> {
        text.parse()
    }
}
impl From<FolderName> for String {
    fn from(name: FolderName) -> String {
        name.0.as_ref().to_owned()
    }
}
impl fmt::Display for FolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// RFC 6154 special uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpecialUse {
    /// `\Archive`
    Archive,
    /// `\Drafts`
    Drafts,
    /// `\Junk`
    Junk,
    /// `\Sent`
    Sent,
    /// `\Trash`
    Trash,
}

impl SpecialUse {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Archive, Self::Drafts, Self::Junk, Self::Sent, Self::Trash];

    /// Its IMAP attribute.
    pub const fn attribute(self) -> &'static str {
        match self {
            Self::Archive => "\\Archive",
            Self::Drafts => "\\Drafts",
            Self::Junk => "\\Junk",
            Self::Sent => "\\Sent",
            Self::Trash => "\\Trash",
        }
    }

    /// The name of the folder that a new mailbox gets for it.
    pub const fn folder_name(self) -> &'static str {
        match self {
            Self::Archive => "Archive",
            Self::Drafts => "Drafts",
            Self::Junk => "Junk",
            Self::Sent => "Sent",
            Self::Trash => "Trash",
        }
    }
}

/// A folder as it is at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    /// Its id.
    pub id: FolderId,
    /// The mailbox it is in.
    pub mailbox: MailboxId,
    /// Its full name.
    pub name: FolderName,
    /// RFC 3501 section 2.3.1.1.
    pub uid_validity: u32,
    /// The UID that the next item gets.
    pub uid_next: u32,
    /// RFC 7162: of the last change of any kind; at least 1.
    pub highest_modseq: u64,
    /// Items.
    pub messages: u32,
    /// Items without `\Seen`.
    pub unseen: u32,
    /// Octets of all items.
    pub octets: u64,
    /// Special use.
    pub special_use: Option<SpecialUse>,
    /// Whether a client subscribed to it.
    pub subscribed: bool,
}

/// An item: a message in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its UID in the folder; at least 1.
    pub uid: u32,
    /// The message.
    pub message: MessageId,
    /// Its flags.
    pub flags: FlagSet,
    /// RFC 7162.
    pub modseq: u64,
    /// IMAP INTERNALDATE.
    pub internal_date: Timestamp,
    /// RFC822.SIZE.
    pub octets: u64,
}

/// What changed in a folder since a modification sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderChanges {
    /// New items and items with new flags, as they are now, by UID.
    pub changed: Vec<Item>,
    /// UIDs of items that are gone, ascending.
    pub gone: Vec<u32>,
    /// Up to where this listing goes.
    pub highest_modseq: u64,
}

/// Where an appended item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The folder's UIDVALIDITY.
    pub uid_validity: u32,
    /// The item's UID.
    pub uid: u32,
}

/// Where copied or moved items are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The target folder's UIDVALIDITY.
    pub uid_validity: u32,
    /// Old and new UID of each, in the order of the old.
    pub uids: Vec<(u32, u32)>,
}

/// What a flag change did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFlags {
    /// The items whose flags were set, as they are now, by UID. Items whose
    /// flags were so already are here too, with their old modseq.
    pub items: Vec<Item>,
    /// UIDs refused because they changed since (RFC 7162 UNCHANGEDSINCE).
    pub refused: Vec<u32>,
}

/// Use of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Octets in use.
    pub used: u64,
    /// The limit.
    pub limit: Option<u64>,
    /// Items in use.
    pub messages: u64,
}
