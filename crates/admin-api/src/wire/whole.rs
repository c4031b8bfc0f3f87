//! Shapes of the whole directory, and of mailboxes as they are restored.

use super::{Address, ErrorInfo};
use serde::{Deserialize, Serialize};

/// Every object of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WholeDirectory {
    /// By kind, then by name.
    pub items: Vec<DirectoryEntry>,
}

/// One object of [`WholeDirectory`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryEntry {
    /// `organisation`, `mailbox`, `connector`, ...
    pub kind: String,
    /// Never changes.
    pub id: u64,
    /// The alias; unique within its kind.
    pub name: String,
    /// What address books show.
    pub display_name: String,
    /// Addresses.
    pub proxies: Vec<Address>,
    /// What only the kind has. Of credentials it is only told whether there are
    /// some, and texts of a connector's settings are hidden, for they may be
    /// secrets.
    pub details: serde_json::Value,
}

/// Where a message is put back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewMessageQuery {
    /// The folder; made if it is missing. INBOX if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Its internal date, RFC 3339; now if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Flags by their IMAP names (`\Seen`) and keywords, parted by commas or
    /// spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<String>,
}

/// Where the message is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedMessage {
    /// The folder.
    pub folder: String,
    /// Its UIDVALIDITY.
    pub uid_validity: u32,
    /// The message's UID.
    pub uid: u32,
}

/// A line of a mailbox's inventory. The last one is `end` or `failed`; without
/// it the inventory was cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case")]
pub enum InventoryLine {
    /// A folder; its messages follow.
    Folder {
        /// Its full name.
        folder: String,
        /// Its UIDVALIDITY.
        uid_validity: u32,
        /// How many messages follow, unless some are removed meanwhile.
        messages: u64,
    },
    /// A message.
    Message(InventoryMessage),
    /// That is all.
    End {
        /// Folders.
        folders: u64,
        /// Messages.
        messages: u64,
    },
    /// It could not be finished.
    Failed {
        /// Why.
        error: ErrorInfo,
    },
}

/// A message of an inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryMessage {
    /// Its folder.
    pub folder: String,
    /// Its UID.
    pub uid: u32,
    /// Its size.
    pub octets: u64,
    /// CRC-32C of all its octets as they were read just now, eight hexadecimal
    /// digits; none if they could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc: Option<String>,
    /// Why it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
    /// `Message-ID` of its header, without brackets; empty if it has none.
    pub message_id: String,
    /// Its internal date.
    pub date: String,
    /// Its flags by their IMAP names, then its keywords.
    pub flags: Vec<String>,
}
