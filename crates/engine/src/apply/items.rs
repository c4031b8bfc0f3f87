//! Flags, copies, moves, removals.

use super::{ActError, Applier, Applying, Outcome};
use crate::rows;
use concord_base::{FolderId, MessageId};
use concord_store::{Copied, FlagChange, Item, StoreError, StoredFlags, SystemFlags, UidSet};
use rusqlite::params;

impl Applier {
    /// The items of a folder that are in a set, by UID.
    fn items_in(&self, folder: FolderId, uids: &UidSet) -> Result<Vec<Item>, rusqlite::Error> {
        let mut read = self.db.prepare_cached(&format!(
            "SELECT {} FROM item WHERE folder = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid",
            rows::ITEM_COLUMNS
        ))?;
        let mut found = Vec::new();
        for (first, last) in uids.ranges() {
            let items = read.query_map(params![folder.0 as i64, first, last], rows::item)?;
            for item in items {
                found.push(item?);
            }
        }
        Ok(found)
    }

    pub(super) fn store_flags(
        &mut self,
        folder: FolderId,
        uids: &UidSet,
        change: &FlagChange,
        unchanged_since: Option<u64>,
    ) -> Applying {
        if self.counters(folder)?.is_none() {
            return Err(StoreError::FolderGone(folder).into());
        }
        let mut stored = StoredFlags { items: self.items_in(folder, uids)?, refused: Vec::new() };
        if let Some(since) = unchanged_since {
            let (refused, items) =
                std::mem::take(&mut stored.items).into_iter().partition(|i| i.modseq > since);
            let refused: Vec<Item> = refused;
            stored.items = items;
            stored.refused = refused.into_iter().map(|i| i.uid).collect();
        }
        let mut modseq = None;
        let mut unseen = 0;
        for item in &mut stored.items {
            let new = item.flags.changed(change);
            if new == item.flags {
                continue;
            }
            let modseq = match modseq {
                Some(modseq) => modseq,
                None => *modseq.insert(self.touch(folder)?),
            };
            let seen = |flags: SystemFlags| i64::from(flags.contains(SystemFlags::SEEN));
            unseen += seen(item.flags.system) - seen(new.system);
            item.flags = new;
            item.modseq = modseq;
            self.db
                .prepare_cached(
                    "UPDATE item SET flags = ?3, keywords = ?4, modseq = ?5
                     WHERE folder = ?1 AND uid = ?2",
                )?
                .execute(params![
                    folder.0 as i64,
                    item.uid,
                    item.flags.system.0,
                    rows::keywords_text(&item.flags),
                    modseq as i64
                ])?;
        }
        if let Some(counters) = self.counters(folder)? {
            counters.unseen += unseen;
        }
        Ok(Outcome::Flags(stored))
    }

    pub(super) fn copy(
        &mut self,
        from: FolderId,
        uids: &UidSet,
        to: FolderId,
        remove: bool,
    ) -> Applying {
        if self.counters(from)?.is_none() {
            return Err(StoreError::FolderGone(from).into());
        }
        let Some(target) = self.counters(to)? else {
            return Err(StoreError::FolderGone(to).into());
        };
        let mut copied = Copied { uid_validity: target.uid_validity, uids: Vec::new() };
        let items = self.items_in(from, uids)?;
        for item in &items {
            let new =
                self.insert_item(to, item.message, &item.flags, item.internal_date, item.octets)?;
            copied.uids.push((item.uid, new.uid));
            if !remove {
                self.db
                    .prepare_cached("UPDATE message SET refs = refs + 1 WHERE id = ?1")?
                    .execute([item.message.0 as i64])?;
            }
        }
        if remove {
            self.remove_items(from, &items)?;
        }
        Ok(Outcome::Copied(copied))
    }

    pub(super) fn expunge(&mut self, folder: FolderId, uids: &UidSet) -> Applying {
        if self.counters(folder)?.is_none() {
            return Err(StoreError::FolderGone(folder).into());
        }
        let mut items = self.items_in(folder, uids)?;
        items.retain(|item| item.flags.system.contains(SystemFlags::DELETED));
        self.remove_items(folder, &items)?;
        for item in &items {
            self.release(item.message, 1)?;
        }
        Ok(Outcome::Uids(items.into_iter().map(|item| item.uid).collect()))
    }

    /// Takes items out of a folder; their messages keep their references.
    fn remove_items(&mut self, folder: FolderId, items: &[Item]) -> Result<(), ActError> {
        if items.is_empty() {
            return Ok(());
        }
        let modseq = self.touch(folder)?;
        for item in items {
            self.db
                .prepare_cached("DELETE FROM item WHERE folder = ?1 AND uid = ?2")?
                .execute(params![folder.0 as i64, item.uid])?;
            self.db.prepare_cached("INSERT INTO gone VALUES (?1, ?2, ?3)")?.execute(params![
                folder.0 as i64,
                modseq as i64,
                item.uid
            ])?;
        }
        if let Some(counters) = self.counters(folder)? {
            for item in items {
                counters.messages -= 1;
                counters.octets -= item.octets as i64;
                counters.unseen -= i64::from(!item.flags.system.contains(SystemFlags::SEEN));
            }
        }
        Ok(())
    }

    /// Removes all that is in a folder, without a trace of it.
    pub(super) fn clear_folder(&mut self, folder: FolderId) -> Result<(), rusqlite::Error> {
        let messages: Vec<MessageId> = self
            .db
            .prepare_cached("SELECT message FROM item WHERE folder = ?1")?
            .query_map([folder.0 as i64], |r| Ok(MessageId(r.get::<_, i64>(0)? as u64)))?
            .collect::<Result<_, _>>()?;
        for message in messages {
            self.release(message, 1)?;
        }
        for table in ["item", "gone"] {
            self.db
                .execute(&format!("DELETE FROM {table} WHERE folder = ?1"), [folder.0 as i64])?;
        }
        self.db.execute("DELETE FROM folder WHERE id = ?1", [folder.0 as i64])?;
        self.folders.remove(&folder);
        self.inboxes.retain(|_, inbox| *inbox != folder);
        self.effects.folders.remove(&folder);
        self.effects.folders_gone.push(folder);
        Ok(())
    }
}
