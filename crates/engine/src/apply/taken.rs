//! Keys under which connectors brought messages.

use super::Applier;
use crate::act::TakeIn;
use concord_base::MessageId;
use concord_transport::{Arrival, KEYS_KEPT, MAX_KEYS};
use rusqlite::{OptionalExtension, params};

/// Old keys that go with each new one; two would keep up.
const FORGOTTEN_AT_ONCE: i64 = 16;
/// Keys are counted once for so many messages.
const COUNT_EVERY: u64 = 4_096;

impl Applier {
    /// The message that was taken under the same key.
    pub(super) fn taken_before(
        &self,
        arrival: &Arrival,
    ) -> Result<Option<MessageId>, rusqlite::Error> {
        let Some(key) = &arrival.key else { return Ok(None) };
        self.db
            .prepare_cached("SELECT message FROM taken WHERE connector = ?1 AND key = ?2")?
            .query_row([&arrival.connector, key], |r| Ok(MessageId(r.get::<_, i64>(0)? as u64)))
            .optional()
    }

    /// Remembers a message's key, and forgets those that are too old or too many.
    pub(super) fn remember_key(
        &self,
        message: MessageId,
        t: &TakeIn,
    ) -> Result<(), rusqlite::Error> {
        let Some(key) = &t.arrival.key else { return Ok(()) };
        let kept = i64::try_from(KEYS_KEPT.as_millis()).unwrap_or(i64::MAX);
        self.db
            .prepare_cached(
                "DELETE FROM taken WHERE message IN (SELECT message FROM
                   (SELECT message, at FROM taken ORDER BY message LIMIT ?2) WHERE at < ?1)",
            )?
            .execute([self.now.0.saturating_sub(kept), FORGOTTEN_AT_ONCE])?;
        if message.0.is_multiple_of(COUNT_EVERY) {
            self.db
                .prepare_cached(
                    "DELETE FROM taken WHERE message <=
                       (SELECT message FROM taken ORDER BY message DESC LIMIT 1 OFFSET ?1)",
                )?
                .execute([i64::try_from(MAX_KEYS).unwrap_or(i64::MAX)])?;
        }
        self.db.prepare_cached("INSERT INTO taken VALUES (?1, ?2, ?3, ?4)")?.execute(params![
            message.0 as i64,
            t.arrival.connector,
            key,
            self.now.0
        ])?;
        Ok(())
    }
}
