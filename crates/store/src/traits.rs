//! What an engine gives the store.

use crate::{
    Appended, Body, BodyWriter, Copied, FlagChange, FlagSet, Folder, FolderChanges, FolderName,
    Item, Quota, SpecialUse, StoreError, StoredFlags, UidSet,
};
use bytes::Bytes;
use concord_base::{FolderId, MailboxId, MessageId, Timestamp};
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::watch::Receiver;

/// The information store of an engine. What a finished call changed is durable
/// and visible to every reader. Reads do not wait for writers. Nothing here
/// blocks the calling thread for longer than a page fault.
#[async_trait::async_trait]
pub trait Store: Send + Sync + 'static {
    /// All folders of a mailbox, by name.
    async fn folders(&self, mailbox: MailboxId) -> Result<Vec<Folder>, StoreError>;

    /// One folder by name; `None` if there is none.
    async fn folder(
        &self,
        mailbox: MailboxId,
        name: &FolderName,
    ) -> Result<Option<Folder>, StoreError>;

    /// One folder as it is now.
    ///
    /// # Errors
    /// [`StoreError::FolderGone`]
    async fn folder_by_id(&self, folder: FolderId) -> Result<Folder, StoreError>;

    /// Makes a folder, and those above it that are missing. A new folder is
    /// subscribed.
    async fn create_folder(
        &self,
        mailbox: MailboxId,
        name: &FolderName,
        special_use: Option<SpecialUse>,
    ) -> Result<Folder, StoreError>;

    /// Gives a folder, with those below it, a new name. Renaming INBOX moves
    /// its items to a new folder and leaves INBOX empty (RFC 3501 section 6.3.5).
    async fn rename_folder(
        &self,
        mailbox: MailboxId,
        old: &FolderName,
        new: &FolderName,
    ) -> Result<(), StoreError>;

    /// Removes a folder with its items. Folders below it stay.
    ///
    /// # Errors
    /// [`StoreError::FolderFixed`] for INBOX.
    async fn delete_folder(&self, mailbox: MailboxId, name: &FolderName) -> Result<(), StoreError>;

    /// Subscribes to a folder or ends that.
    async fn subscribe(
        &self,
        mailbox: MailboxId,
        name: &FolderName,
        subscribed: bool,
    ) -> Result<(), StoreError>;

    /// All items of a folder by UID, and the modseq that the listing is of.
    /// The listing is shared and cheap when the folder was listed lately.
    async fn items(&self, folder: FolderId) -> Result<(Arc<Vec<Item>>, u64), StoreError>;

    /// What changed since `modseq`.
    async fn changes(&self, folder: FolderId, modseq: u64) -> Result<FolderChanges, StoreError>;

    /// Tells of changes: the value is the folder's newest modseq. It may skip
    /// values, never the last one. Ends (closed channel) when the folder is gone.
    fn watch(&self, folder: FolderId) -> Receiver<u64>;

    /// Starts a body. `expected` is its size in octets, if the sender told.
    async fn begin_body(&self, expected: Option<u64>) -> Result<Box<dyn BodyWriter>, StoreError>;

    /// Adds a message to a folder.
    async fn append(
        &self,
        folder: FolderId,
        body: Body,
        flags: FlagSet,
        internal_date: Timestamp,
    ) -> Result<Appended, StoreError>;

    /// Changes flags of the items in `uids`. With `unchanged_since`, items whose
    /// modseq is larger are refused.
    async fn store_flags(
        &self,
        folder: FolderId,
        uids: &UidSet,
        change: FlagChange,
        unchanged_since: Option<u64>,
    ) -> Result<StoredFlags, StoreError>;

    /// Copies items to a folder of the same mailbox; flags and dates go along.
    async fn copy(&self, from: FolderId, uids: &UidSet, to: FolderId)
    -> Result<Copied, StoreError>;

    /// Moves items in one commit (RFC 6851).
    async fn move_items(
        &self,
        from: FolderId,
        uids: &UidSet,
        to: FolderId,
    ) -> Result<Copied, StoreError>;

    /// Removes the items with `\Deleted` that are in `uids`; gives back their
    /// UIDs, ascending.
    async fn expunge(&self, folder: FolderId, uids: &UidSet) -> Result<Vec<u32>, StoreError>;

    /// Octets `range` of a message, at most [`crate::MAX_READ`] of them; fewer
    /// at its end.
    async fn read(&self, message: MessageId, range: Range<u64>) -> Result<Bytes, StoreError>;

    /// Use of a mailbox.
    async fn quota(&self, mailbox: MailboxId) -> Result<Quota, StoreError>;
}
