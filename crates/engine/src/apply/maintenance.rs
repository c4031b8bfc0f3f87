//! Forgetting stories, and what compaction moved.

use super::{Applier, Applying, Outcome};
use crate::act::BodyRef;
use concord_base::{MessageId, Timestamp};
use concord_message_log::Location;
use rusqlite::params;

impl Applier {
    pub(super) fn forget_stories(&mut self, before: Timestamp) -> Applying {
        // Messages that are still in mailboxes keep their row, for their body;
        // queued ones keep their story.
        let old = "received < ?1 AND envelope IS NOT NULL AND id NOT IN (SELECT message FROM delivery)";
        self.db.execute(
            &format!("DELETE FROM event WHERE message IN (SELECT id FROM message WHERE {old})"),
            [before.0],
        )?;
        let forgotten = self
            .db
            .execute(&format!("DELETE FROM message WHERE {old} AND refs <= 0"), [before.0])?;
        let kept = self.db.execute(
            &format!(
                "UPDATE message SET envelope = NULL, sender = NULL, sender_key = NULL,
                 header_id = NULL, subject = NULL WHERE {old}"
            ),
            [before.0],
        )?;
        Ok(Outcome::Count((forgotten + kept) as u64))
    }

    pub(super) fn carried(&mut self, message: MessageId, at: BodyRef, body: Location) -> Applying {
        let (place, segment, offset) = Self::place(at, body);
        // Where it was counts as dead now; if it died meanwhile, so does the copy.
        let old: Option<(i64, i64)> = self
            .db
            .prepare_cached("SELECT place, segment FROM message WHERE id = ?1")?
            .query_map([message.0 as i64], |r| Ok((r.get(0)?, r.get(1)?)))?
            .next()
            .transpose()?;
        let dead = match old {
            Some((1, old_segment)) => {
                self.db
                    .prepare_cached(
                        "UPDATE message SET place = ?2, segment = ?3, offset = ?4 WHERE id = ?1",
                    )?
                    .execute(params![message.0 as i64, place, segment, offset])?;
                old_segment
            }
            _ => segment,
        };
        self.db
            .prepare_cached(
                "INSERT INTO segment VALUES (?1, ?2)
                 ON CONFLICT (number) DO UPDATE SET dead = dead + ?2",
            )?
            .execute([dead, at.octets() as i64])?;
        Ok(Outcome::Done)
    }
}
