//! The information store.

use super::{Bodies, Embedded, other_outcome};
use crate::act::Act;
use crate::apply::{ActError, Outcome};
use crate::body::Writer;
use crate::cache::Listing;
use crate::rows;
use bytes::Bytes;
use concord_base::{FolderId, MailboxId, MessageId, Timestamp};
use concord_message_log::{LargeBody, Location};
use concord_store::{
    Appended, Body, BodyWriter, Copied, FlagChange, FlagSet, Folder, FolderChanges, FolderName,
    Item, MAX_READ, Quota, SpecialUse, Store, StoreError, StoredFlags, UidSet,
};
use rusqlite::{OptionalExtension, params};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::watch;

fn unexpected() -> StoreError {
    other_outcome().into()
}

fn store_error(error: ActError) -> StoreError {
    match error {
        ActError::Store(error) => error,
        ActError::Storage(error) => error.into(),
        ActError::Directory(_) | ActError::Transport(_) => unexpected(),
    }
}

impl Embedded {
    async fn store_act(&self, act: Act) -> Result<Outcome, StoreError> {
        self.act_one(act).await?.map_err(store_error)
    }

    fn read_folder(&self, folder: FolderId) -> Result<Folder, StoreError> {
        let found = self.readers.with(|db| {
            db.prepare_cached(&format!(
                "SELECT {} FROM folder WHERE id = ?1",
                rows::FOLDER_COLUMNS
            ))?
            .query_row([folder.0 as i64], rows::folder)
            .optional()
        })?;
        found.ok_or(StoreError::FolderGone(folder))
    }

    /// All items, and the modseq in the same read transaction.
    fn read_items(&self, folder: FolderId) -> Result<Listing, StoreError> {
        let (items, modseq) = self.readers.with(|db| {
            let transaction = db.unchecked_transaction()?;
            let modseq = read_modseq(&transaction, folder)?;
            let items = transaction
                .prepare_cached(&format!(
                    "SELECT {} FROM item WHERE folder = ?1 ORDER BY uid",
                    rows::ITEM_COLUMNS
                ))?
                .query_map([folder.0 as i64], rows::item)?
                .collect::<Result<Vec<Item>, _>>()?;
            Ok((items, modseq))
        })?;
        let modseq = modseq.ok_or(StoreError::FolderGone(folder))?;
        Ok(Listing { items: Arc::new(items), modseq })
    }

    fn read_changes(&self, folder: FolderId, since: u64) -> Result<FolderChanges, StoreError> {
        let (modseq, changed, gone) = self.readers.with(|db| {
            let transaction = db.unchecked_transaction()?;
            let modseq = read_modseq(&transaction, folder)?;
            let of = params![folder.0 as i64, since as i64];
            let changed = transaction
                .prepare_cached(&format!(
                    "SELECT {} FROM item WHERE folder = ?1 AND modseq > ?2 ORDER BY uid",
                    rows::ITEM_COLUMNS
                ))?
                .query_map(of, rows::item)?
                .collect::<Result<Vec<Item>, _>>()?;
            let gone = transaction
                .prepare_cached(
                    "SELECT uid FROM gone WHERE folder = ?1 AND modseq > ?2 ORDER BY uid",
                )?
                .query_map(of, |r| r.get(0))?
                .collect::<Result<Vec<u32>, _>>()?;
            Ok((modseq, changed, gone))
        })?;
        let highest_modseq = modseq.ok_or(StoreError::FolderGone(folder))?;
        Ok(FolderChanges { changed, gone, highest_modseq })
    }

    /// Where a message's body is.
    fn place(&self, message: MessageId) -> Result<Place, StoreError> {
        let found = self.readers.with(|db| {
            db.prepare_cached(
                "SELECT place, segment, offset, octets, crc FROM message WHERE id = ?1",
            )?
            .query_row([message.0 as i64], |r| {
                let [place, segment, offset, octets] =
                    [r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?].map(|n: i64| n as u64);
                let crc = r.get(4)?;
                Ok(match place {
                    1 => Place::Segment(Location { segment, offset, octets }, crc),
                    2 => Place::Large(LargeBody { number: segment, octets, crc }),
                    _ => Place::Gone,
                })
            })
            .optional()
        })?;
        Ok(found.unwrap_or(Place::Gone))
    }

    fn read_at(
        &self,
        place: Place,
        message: MessageId,
        range: Range<u64>,
    ) -> Result<Bytes, StoreError> {
        match place {
            Place::Segment(location, crc) if location.octets <= MAX_READ => {
                // Whole, so that what is handed out is what was taken in.
                let body = self.bodies.read_checked(location, crc)?;
                let end = usize::try_from(range.end.min(location.octets)).unwrap_or(usize::MAX);
                let start = usize::try_from(range.start).unwrap_or(usize::MAX).min(end);
                Ok(body.slice(start..end))
            }
            Place::Segment(location, _) => Ok(self.bodies.read(location, range)?),
            Place::Large(body) => Ok(self.large.read(body, range)?),
            Place::Gone => Err(StoreError::MessageGone(message)),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Segment(Location, u32),
    Large(LargeBody),
    Gone,
}

fn read_modseq(
    db: &rusqlite::Connection,
    folder: FolderId,
) -> Result<Option<u64>, rusqlite::Error> {
    db.prepare_cached("SELECT modseq FROM folder WHERE id = ?1")?
        .query_row([folder.0 as i64], |r| Ok(r.get::<_, i64>(0)? as u64))
        .optional()
}

/// A listing brought up to date.
fn merge(old: &[Item], changes: FolderChanges) -> Listing {
    let appended_only = changes.gone.is_empty()
        && old.last().is_none_or(|last| changes.changed.iter().all(|i| i.uid > last.uid));
    let items = if appended_only {
        old.iter().cloned().chain(changes.changed).collect()
    } else {
        let mut all: BTreeMap<u32, Item> = old.iter().map(|i| (i.uid, i.clone())).collect();
        for uid in &changes.gone {
            all.remove(uid);
        }
        all.extend(changes.changed.into_iter().map(|i| (i.uid, i)));
        all.into_values().collect()
    };
    Listing { items: Arc::new(items), modseq: changes.highest_modseq }
}

#[async_trait::async_trait]
impl Store for Embedded {
    async fn folders(&self, mailbox: MailboxId) -> Result<Vec<Folder>, StoreError> {
        Ok(self.readers.with(|db| {
            db.prepare_cached(&format!(
                "SELECT {} FROM folder WHERE mailbox = ?1 ORDER BY name",
                rows::FOLDER_COLUMNS
            ))?
            .query_map([mailbox.0 as i64], rows::folder)?
            .collect()
        })?)
    }

    async fn folder(
        &self,
        mailbox: MailboxId,
        name: &FolderName,
    ) -> Result<Option<Folder>, StoreError> {
        Ok(self.readers.with(|db| {
            db.prepare_cached(&format!(
                "SELECT {} FROM folder WHERE mailbox = ?1 AND name = ?2",
                rows::FOLDER_COLUMNS
            ))?
            .query_row(params![mailbox.0 as i64, name.as_str()], rows::folder)
            .optional()
        })?)
    }

    async fn folder_by_id(&self, folder: FolderId) -> Result<Folder, StoreError> {
        self.read_folder(folder)
    }

    async fn create_folder(
        &self,
        mailbox: MailboxId,
        name: &FolderName,
        special_use: Option<SpecialUse>,
    ) -> Result<Folder, StoreError> {
        let act = Act::CreateFolder { mailbox, name: name.clone(), special_use };
        match self.store_act(act).await? {
            Outcome::Folder(folder) => Ok(folder),
            _ => Err(unexpected()),
        }
    }

    async fn rename_folder(
        &self,
        mailbox: MailboxId,
        old: &FolderName,
        new: &FolderName,
    ) -> Result<(), StoreError> {
        let act = Act::RenameFolder { mailbox, old: old.clone(), new: new.clone() };
        self.store_act(act).await.map(drop)
    }

    async fn delete_folder(&self, mailbox: MailboxId, name: &FolderName) -> Result<(), StoreError> {
        self.store_act(Act::DeleteFolder { mailbox, name: name.clone() }).await.map(drop)
    }

    async fn subscribe(
        &self,
        mailbox: MailboxId,
        name: &FolderName,
        subscribed: bool,
    ) -> Result<(), StoreError> {
        self.store_act(Act::Subscribe { mailbox, name: name.clone(), subscribed }).await.map(drop)
    }

    async fn items(&self, folder: FolderId) -> Result<(Arc<Vec<Item>>, u64), StoreError> {
        let listing = match self.shared.signals.caches.listing(folder) {
            None => self.read_items(folder)?,
            Some(kept) => {
                let changes = self.read_changes(folder, kept.modseq)?;
                if changes.highest_modseq == kept.modseq {
                    return Ok((kept.items, kept.modseq));
                }
                merge(&kept.items, changes)
            }
        };
        self.shared.signals.caches.keep_listing(folder, listing.clone());
        Ok((listing.items, listing.modseq))
    }

    async fn changes(&self, folder: FolderId, modseq: u64) -> Result<FolderChanges, StoreError> {
        self.read_changes(folder, modseq)
    }

    fn watch(&self, folder: FolderId) -> watch::Receiver<u64> {
        self.shared.signals.watch_folder(folder)
    }

    async fn begin_body(&self, expected: Option<u64>) -> Result<Box<dyn BodyWriter>, StoreError> {
        self.space.check()?;
        let threshold = usize::try_from(self.options.large_threshold).unwrap_or(usize::MAX);
        Ok(Box::new(Writer::new(
            expected,
            self.budget.clone(),
            self.large.clone(),
            threshold,
            Arc::clone(&self.space),
        )))
    }

    async fn append(
        &self,
        folder: FolderId,
        body: Body,
        flags: FlagSet,
        internal_date: Timestamp,
    ) -> Result<Appended, StoreError> {
        self.check_room(body.octets)?;
        let mailbox = self.read_folder(folder)?.mailbox;
        self.check_quota(mailbox, body.octets)?;
        let mut bodies = Bodies::default();
        let body = bodies.add(body)?;
        let act = Act::Append { folder, flags, internal_date, body };
        let mut outcomes = self.act(vec![act], bodies).await?;
        match outcomes.pop().ok_or_else(unexpected)?.map_err(store_error)? {
            Outcome::Appended(appended) => Ok(appended),
            _ => Err(unexpected()),
        }
    }

    async fn store_flags(
        &self,
        folder: FolderId,
        uids: &UidSet,
        change: FlagChange,
        unchanged_since: Option<u64>,
    ) -> Result<StoredFlags, StoreError> {
        let act = Act::StoreFlags { folder, uids: uids.clone(), change, unchanged_since };
        match self.store_act(act).await? {
            Outcome::Flags(stored) => Ok(stored),
            _ => Err(unexpected()),
        }
    }

    async fn copy(
        &self,
        from: FolderId,
        uids: &UidSet,
        to: FolderId,
    ) -> Result<Copied, StoreError> {
        self.check_room(0)?;
        match self.store_act(Act::Copy { from, uids: uids.clone(), to }).await? {
            Outcome::Copied(copied) => Ok(copied),
            _ => Err(unexpected()),
        }
    }

    async fn move_items(
        &self,
        from: FolderId,
        uids: &UidSet,
        to: FolderId,
    ) -> Result<Copied, StoreError> {
        match self.store_act(Act::Move { from, uids: uids.clone(), to }).await? {
            Outcome::Copied(copied) => Ok(copied),
            _ => Err(unexpected()),
        }
    }

    async fn expunge(&self, folder: FolderId, uids: &UidSet) -> Result<Vec<u32>, StoreError> {
        match self.store_act(Act::Expunge { folder, uids: uids.clone() }).await? {
            Outcome::Uids(uids) => Ok(uids),
            _ => Err(unexpected()),
        }
    }

    async fn read(&self, message: MessageId, range: Range<u64>) -> Result<Bytes, StoreError> {
        let range = range.start..range.end.min(range.start.saturating_add(MAX_READ));
        let place = self.place(message)?;
        match self.read_at(place, message, range.clone()) {
            // Compaction may have moved it between the two steps.
            Err(StoreError::Storage(_)) if self.place(message)? != place => {
                self.read_at(self.place(message)?, message, range)
            }
            other => other,
        }
    }

    async fn quota(&self, mailbox: MailboxId) -> Result<Quota, StoreError> {
        self.read_quota(mailbox)
    }
}

impl Embedded {
    fn quota_limit(&self, mailbox: MailboxId) -> Result<Option<u64>, StoreError> {
        let object = self.read_object_by_id(mailbox.into())?;
        Ok(object.as_ref().and_then(|o| o.quota()).map(|q| q.0))
    }

    fn read_quota(&self, mailbox: MailboxId) -> Result<Quota, StoreError> {
        let (used, messages): (i64, i64) = self.readers.with(|db| {
            db.prepare_cached(
                "SELECT coalesce(sum(octets), 0), coalesce(sum(messages), 0)
                 FROM folder WHERE mailbox = ?1",
            )?
            .query_row([mailbox.0 as i64], |r| Ok((r.get(0)?, r.get(1)?)))
        })?;
        let limit = self.quota_limit(mailbox)?;
        Ok(Quota { used: used as u64, limit, messages: messages as u64 })
    }

    fn check_quota(&self, mailbox: MailboxId, more: u64) -> Result<(), StoreError> {
        let Some(limit) = self.quota_limit(mailbox)? else { return Ok(()) };
        let used = self.read_quota(mailbox)?.used;
        if used.saturating_add(more) > limit {
            return Err(StoreError::OverQuota { used, limit });
        }
        Ok(())
    }
}
