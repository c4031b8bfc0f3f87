//! Putting a delivered message into its mailbox, where the mailbox's rules say.

use super::{ActError, Applier};
use concord_base::{FolderId, MailboxId, MessageId, Timestamp};
use concord_store::{FlagSet, FolderName};
use concord_transport::Filing;
use rusqlite::OptionalExtension;

impl Applier {
    /// Makes the item and gives back the words for the story; `None` if the mailbox
    /// is gone.
    pub(super) fn file(
        &mut self,
        mailbox: MailboxId,
        filing: Option<&Filing>,
        message: MessageId,
        received: Timestamp,
        octets: u64,
    ) -> Result<Option<String>, ActError> {
        let Some(inbox) = self.inbox(mailbox)? else { return Ok(None) };
        let wanted = filing.and_then(|filing| filing.folder.as_ref());
        let found = match wanted {
            Some(name) => self.folder_or_new(mailbox, name)?,
            None => None,
        };
        let flags = FlagSet::system(filing.map(|filing| filing.flags).unwrap_or_default());
        let folder = found.unwrap_or(inbox);
        let item = self.insert_item(folder, message, &flags, received, octets)?;
        let place = wanted.filter(|_| found.is_some()).map_or("INBOX", FolderName::as_str);
        let mut detail = format!("in {place} as UID {}", item.uid);
        if let Some(filing) = filing {
            let rules: Vec<String> = filing.rules.iter().map(|rule| format!("'{rule}'")).collect();
            detail.push_str(&format!(", by {}", rules.join(", ")));
        }
        if let (Some(name), None) = (wanted, found) {
            detail.push_str(&format!("; the folder {name} could not be made"));
        }
        Ok(Some(detail))
    }

    /// The inbox of a mailbox that exists.
    fn inbox(&mut self, mailbox: MailboxId) -> Result<Option<FolderId>, rusqlite::Error> {
        if let Some(folder) = self.inboxes.get(&mailbox) {
            return Ok(Some(*folder));
        }
        let found = self
            .db
            .prepare_cached("SELECT id FROM folder WHERE mailbox = ?1 AND name = 'INBOX'")?
            .query_row([mailbox.0 as i64], |r| Ok(FolderId(r.get::<_, i64>(0)? as u64)))
            .optional()?;
        if let Some(folder) = found {
            self.inboxes.insert(mailbox, folder);
        }
        Ok(found)
    }

    /// A folder of a mailbox, made if it is missing; `None` if it cannot be made:
    /// the message is worth more than its place.
    fn folder_or_new(
        &mut self,
        mailbox: MailboxId,
        name: &FolderName,
    ) -> Result<Option<FolderId>, ActError> {
        if let Some(folder) = self.folder_named(mailbox, name)? {
            return Ok(Some(folder.id));
        }
        match self.create_folder(mailbox, name, None) {
            Ok(super::Outcome::Folder(folder)) => Ok(Some(folder.id)),
            Err(error @ ActError::Storage(_)) => Err(error),
            _ => Ok(None),
        }
    }
}
