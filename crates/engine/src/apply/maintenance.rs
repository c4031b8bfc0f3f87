//! Forgetting stories, and what compaction moved.

use super::{Applier, Applying, Outcome};
use crate::act::BodyRef;
use concord_base::{FolderId, MessageId, Timestamp};
use concord_message_log::Location;
use rusqlite::params;

/// Stories forgotten in one act, so that mail does not wait for it.
const FORGET_AT_ONCE: i64 = 500;

impl Applier {
    /// Forgets some of the oldest stories; the count says whether there were
    /// any. Queued messages keep theirs; messages in mailboxes keep their row,
    /// which says where the body is.
    pub(super) fn forget_stories(&mut self, before: Timestamp) -> Applying {
        let old: Vec<i64> = self
            .db
            .prepare_cached(
                "SELECT id FROM message WHERE envelope IS NOT NULL AND received < ?1
                 AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.message = message.id)
                 ORDER BY received LIMIT ?2",
            )?
            .query_map([before.0, FORGET_AT_ONCE], |r| r.get(0))?
            .collect::<Result<_, _>>()?;
        for id in &old {
            self.db.prepare_cached("DELETE FROM event WHERE message = ?1")?.execute([id])?;
            self.db
                .prepare_cached("DELETE FROM message WHERE id = ?1 AND refs <= 0")?
                .execute([id])?;
            self.db
                .prepare_cached(
                    "UPDATE message SET envelope = NULL, sender = NULL, sender_key = NULL,
                     header_id = NULL, subject = NULL WHERE id = ?1",
                )?
                .execute([id])?;
        }
        Ok(Outcome::Count(old.len() as u64))
    }

    /// Gives every folder a UIDVALIDITY that none ever had, by id, so that a
    /// replay gives the same ones.
    pub(super) fn restored(&mut self) -> Applying {
        let folders: Vec<i64> = self
            .db
            .prepare_cached("SELECT id FROM folder ORDER BY id")?
            .query_map([], |r| r.get(0))?
            .collect::<Result<_, _>>()?;
        for id in &folders {
            let uid_validity = self.next_uid_validity();
            self.db
                .prepare_cached("UPDATE folder SET uid_validity = ?2 WHERE id = ?1")?
                .execute(params![id, uid_validity])?;
            if let Some(counters) = self.folders.get_mut(&FolderId(*id as u64)) {
                counters.uid_validity = uid_validity;
            }
        }
        Ok(Outcome::Count(folders.len() as u64))
    }

    /// A message that died meanwhile stays dead; the copy is then nobody's.
    pub(super) fn carried(&mut self, message: MessageId, at: BodyRef, body: Location) -> Applying {
        let (place, segment, offset) = Self::place(at, body);
        self.db
            .prepare_cached(
                "UPDATE message SET place = ?2, segment = ?3, offset = ?4
                 WHERE id = ?1 AND place = 1",
            )?
            .execute(params![message.0 as i64, place, segment, offset])?;
        Ok(Outcome::Done)
    }
}
