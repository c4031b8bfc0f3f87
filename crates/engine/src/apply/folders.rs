//! Folders.

use super::{ActError, Applier, Applying, Outcome};
use crate::rows;
use concord_base::{FolderId, MailboxId};
use concord_store::{Folder, FolderName, SpecialUse, StoreError, UidSet};
use rusqlite::{OptionalExtension, params};

/// Folders in one mailbox; clients list them all at every start.
const MAX_FOLDERS: u64 = 10_000;

impl Applier {
    pub(super) fn folder_named(
        &self,
        mailbox: MailboxId,
        name: &FolderName,
    ) -> Result<Option<Folder>, rusqlite::Error> {
        self.db
            .prepare_cached(&format!(
                "SELECT {} FROM folder WHERE mailbox = ?1 AND name = ?2",
                rows::FOLDER_COLUMNS
            ))?
            .query_row(params![mailbox.0 as i64, name.as_str()], rows::folder)
            .optional()
    }

    /// A folder that is made again under an old name must not have the old
    /// UIDVALIDITY (RFC 3501 section 2.3.1.1), even within one second.
    pub(super) fn next_uid_validity(&mut self) -> u32 {
        let seconds = u32::try_from(self.now.seconds()).unwrap_or(1);
        self.state.last_uid_validity = seconds.max(self.state.last_uid_validity.saturating_add(1));
        self.state.last_uid_validity
    }

    pub(super) fn insert_folder(
        &mut self,
        mailbox: MailboxId,
        name: &FolderName,
        special_use: Option<SpecialUse>,
    ) -> Result<Folder, rusqlite::Error> {
        let id = FolderId(self.state.next_folder);
        self.state.next_folder += 1;
        let uid_validity = self.next_uid_validity();
        let folder = Folder {
            id,
            mailbox,
            name: name.clone(),
            uid_validity,
            uid_next: 1,
            highest_modseq: 1,
            messages: 0,
            unseen: 0,
            octets: 0,
            special_use,
            subscribed: true,
        };
        self.db
            .prepare_cached("INSERT INTO folder VALUES (?1, ?2, ?3, ?4, 1, 1, 0, 0, 0, ?5, 1)")?
            .execute(params![
                id.0 as i64,
                mailbox.0 as i64,
                name.as_str(),
                folder.uid_validity,
                special_use.map(SpecialUse::attribute)
            ])?;
        Ok(folder)
    }

    fn check_mailbox(&self, mailbox: MailboxId) -> Result<u64, ActError> {
        let folders: i64 = self
            .db
            .prepare_cached("SELECT count(*) FROM folder WHERE mailbox = ?1")?
            .query_row([mailbox.0 as i64], |r| r.get(0))?;
        // A mailbox always has its INBOX.
        if folders == 0 { Err(StoreError::MailboxGone(mailbox).into()) } else { Ok(folders as u64) }
    }

    pub(super) fn create_folder(
        &mut self,
        mailbox: MailboxId,
        name: &FolderName,
        special_use: Option<SpecialUse>,
    ) -> Applying {
        if self.check_mailbox(mailbox)? >= MAX_FOLDERS {
            return Err(StoreError::TooMany { what: "folders", limit: MAX_FOLDERS }.into());
        }
        if self.folder_named(mailbox, name)?.is_some() {
            return Err(StoreError::FolderExists(name.to_string()).into());
        }
        self.create_parents(mailbox, name)?;
        Ok(Outcome::Folder(self.insert_folder(mailbox, name, special_use)?))
    }

    fn create_parents(
        &mut self,
        mailbox: MailboxId,
        name: &FolderName,
    ) -> Result<(), rusqlite::Error> {
        let mut missing = Vec::new();
        let mut above = name.parent();
        while let Some(folder) = above {
            if self.folder_named(mailbox, &folder)?.is_some() {
                break;
            }
            above = folder.parent();
            missing.push(folder);
        }
        for folder in missing.into_iter().rev() {
            self.insert_folder(mailbox, &folder, None)?;
        }
        Ok(())
    }

    pub(super) fn rename_folder(
        &mut self,
        mailbox: MailboxId,
        old: &FolderName,
        new: &FolderName,
    ) -> Applying {
        self.check_mailbox(mailbox)?;
        let Some(folder) = self.folder_named(mailbox, old)? else {
            return Err(StoreError::FolderMissing(old.to_string()).into());
        };
        if self.folder_named(mailbox, new)?.is_some() {
            return Err(StoreError::FolderExists(new.to_string()).into());
        }
        if new.moved(old, old).is_some() {
            let fixed =
                StoreError::FolderFixed { name: old.to_string(), act: "moved below itself" };
            return Err(fixed.into());
        }
        self.create_parents(mailbox, new)?;
        if old.is_inbox() {
            let target = self.insert_folder(mailbox, new, None)?;
            self.copy(folder.id, &UidSet::all(), target.id, true)?;
            return Ok(Outcome::Done);
        }
        let all: Vec<(i64, String)> = self
            .db
            .prepare_cached("SELECT id, name FROM folder WHERE mailbox = ?1")?
            .query_map([mailbox.0 as i64], |r| Ok((r.get(0)?, r.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let below = all.into_iter().filter_map(|(id, name)| {
            let name: FolderName = name.parse().ok()?;
            if &name == old { Some((id, new.clone())) } else { Some((id, name.moved(old, new)?)) }
        });
        for (id, name) in below.collect::<Vec<_>>() {
            self.db
                .prepare_cached("UPDATE OR IGNORE folder SET name = ?2 WHERE id = ?1")?
                .execute(params![id, name.as_str()])?;
        }
        Ok(Outcome::Done)
    }

    pub(super) fn delete_folder(&mut self, mailbox: MailboxId, name: &FolderName) -> Applying {
        if name.is_inbox() {
            return Err(StoreError::FolderFixed { name: name.to_string(), act: "removed" }.into());
        }
        let Some(folder) = self.folder_named(mailbox, name)? else {
            return Err(StoreError::FolderMissing(name.to_string()).into());
        };
        self.clear_folder(folder.id)?;
        Ok(Outcome::Done)
    }

    pub(super) fn subscribe(
        &mut self,
        mailbox: MailboxId,
        name: &FolderName,
        subscribed: bool,
    ) -> Applying {
        let changed = self
            .db
            .prepare_cached("UPDATE folder SET subscribed = ?3 WHERE mailbox = ?1 AND name = ?2")?
            .execute(params![mailbox.0 as i64, name.as_str(), subscribed])?;
        if changed == 0 {
            return Err(StoreError::FolderMissing(name.to_string()).into());
        }
        Ok(Outcome::Done)
    }
}
