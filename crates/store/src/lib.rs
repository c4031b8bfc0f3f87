//! The information store: mailboxes have folders, folders have items, items
//! refer to messages whose body is stored once.
//!
//! This crate has the nouns and the trait that engines implement ([`Store`]).
//! Sources: RFC 3501 and RFC 9051 for UID, UIDVALIDITY and flags, RFC 7162 for
//! modification sequences, RFC 6154 for special use. It does no I/O.
//!
//! Invariants: a folder's UIDs only grow and are never used twice; each change
//! of an item or of a folder's set of items raises the folder's `highest_modseq`.

mod body;
mod error;
mod flags;
mod folder;
mod traits;
mod uid_set;

pub use body::{Body, BodyContent, BodyWriter, BudgetGuard, Elsewhere, MAX_READ};
pub use error::StoreError;
pub use flags::{FlagChange, FlagSet, Keyword, MAX_KEYWORDS, ParseKeywordError, SystemFlags};
pub use folder::{
    Appended, Copied, Folder, FolderChanges, FolderName, Item, ParseFolderNameError, Quota,
    SpecialUse, StoredFlags,
};
pub use traits::Store;
pub use uid_set::UidSet;
