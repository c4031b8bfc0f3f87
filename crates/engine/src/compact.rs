//! Compaction: what is live in mostly dead segments is carried to the log's
//! end, and segments without anything live go.

use crate::act::{Act, BodyRef};
use crate::embedded::{Bodies, Embedded};
use crate::index::index_error;
use crate::{open, snapshot};
use concord_base::{MessageId, StorageError};
use concord_message_log::{Location, segments};
use concord_store::Body;
use rusqlite::Connection;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Octets carried in one record: a batch that does not delay others' syncs.
const CARRY_OCTETS: u64 = 1 << 20;

/// What compaction did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompactReport {
    /// Messages written again.
    pub carried: u64,
    /// Octets written again.
    pub carried_octets: u64,
    /// Segments removed.
    pub removed: u64,
    /// Octets of the removed segments.
    pub removed_octets: u64,
}

struct Live {
    message: MessageId,
    location: Location,
    crc: u32,
}

impl Embedded {
    /// Compacts segments of which less than `below` percent is live. Readers
    /// and writers go on meanwhile.
    ///
    /// # Errors
    /// [`StorageError`]; what was done until then stays and is consistent.
    pub async fn compact(self: &Arc<Self>, below: u8) -> Result<CompactReport, StorageError> {
        // A backup reads the segments; it is waited for.
        let _moving = self.moving.lock().await;
        let mut report = CompactReport::default();
        let closed = self.closed_segments()?;
        let live = self.live_octets()?;
        for number in &closed {
            let live_octets = live.get(number).copied().unwrap_or(0);
            let octets = self.segment_octets(*number);
            if live_octets > 0
                && live_octets.saturating_mul(100) < octets.saturating_mul(u64::from(below))
            {
                self.carry(self.live_in(*number)?, &mut report).await?;
            }
        }
        let this = Arc::clone(self);
        let remove = tokio::task::spawn_blocking(move || {
            this.remove_dead(&closed, &mut report).map(|()| report)
        });
        remove.await.map_err(|e| StorageError::Bug(format!("compaction ended: {e}")))?
    }

    fn closed_segments(&self) -> Result<Vec<u64>, StorageError> {
        let mut numbers = segments(&self.options.log_directory())?;
        numbers.pop();
        Ok(numbers)
    }

    fn segment_octets(&self, number: u64) -> u64 {
        let path = self.options.log_directory().join(format!("{number:016x}.seg"));
        std::fs::metadata(path).map_or(0, |m| m.len())
    }

    /// Octets of live bodies by segment; one pass over all messages, which is
    /// cheaper than an index that every message would have to be entered in.
    fn live_octets(&self) -> Result<HashMap<u64, u64>, StorageError> {
        self.readers.with(|db| {
            db.prepare("SELECT segment, sum(octets) FROM message WHERE place = 1 GROUP BY segment")?
                .query_map([], |r| Ok((r.get::<_, i64>(0)? as u64, r.get::<_, i64>(1)? as u64)))?
                .collect()
        })
    }

    fn live_in(&self, segment: u64) -> Result<Vec<Live>, StorageError> {
        self.readers.with(|db| {
            db.prepare_cached(
                "SELECT id, offset, octets, crc FROM message
                 WHERE place = 1 AND segment = ?1 ORDER BY offset",
            )?
            .query_map([segment as i64], |r| {
                let [id, offset, octets] = [r.get(0)?, r.get(1)?, r.get(2)?].map(|n: i64| n as u64);
                Ok(Live {
                    message: MessageId(id),
                    location: Location { segment, offset, octets },
                    crc: r.get(3)?,
                })
            })?
            .collect()
        })
    }

    async fn carry(&self, live: Vec<Live>, report: &mut CompactReport) -> Result<(), StorageError> {
        let mut acts = Vec::new();
        let mut bodies = Bodies::default();
        let mut waiting = 0;
        for Live { message, location, crc } in live {
            // A damaged body stays where it is, and keeps its segment, for whoever
            // can mend it.
            let Ok(octets) = self.bodies.read_checked(location, crc) else {
                tracing::error!(?location, "a damaged message is left where it is");
                continue;
            };
            let body: BodyRef = bodies.add(Body::from_bytes(octets))?;
            acts.push(Act::Carried { message, body });
            report.carried += 1;
            report.carried_octets += location.octets;
            waiting += location.octets;
            if waiting >= CARRY_OCTETS {
                self.act(std::mem::take(&mut acts), std::mem::take(&mut bodies)).await?;
                waiting = 0;
            }
        }
        if !acts.is_empty() {
            self.act(acts, bodies).await?;
        }
        Ok(())
    }

    /// Removes segments that hold nothing live, once a snapshot holds what
    /// their acts amounted to, and the index on disk does too.
    fn remove_dead(&self, closed: &[u64], report: &mut CompactReport) -> Result<(), StorageError> {
        snapshot::write(&self.options)?;
        let db = Connection::open(self.options.index_path()).map_err(index_error)?;
        db.pragma_update(None, "synchronous", "FULL").map_err(index_error)?;
        db.busy_timeout(Duration::from_secs(10)).map_err(index_error)?;
        let busy: i64 =
            db.query_row("PRAGMA wal_checkpoint(FULL)", [], |r| r.get(0)).map_err(index_error)?;
        if busy != 0 {
            // Power loss now would leave an older index behind; the next
            // compaction removes the segments.
            return Ok(());
        }
        let oldest = snapshot::list(&self.options);
        let Some(kept_from) = oldest.first().and_then(|(_, path)| snapshot::applied(path)) else {
            return Ok(());
        };
        let live = self.live_octets()?;
        let before = kept_from.position.segment;
        for number in closed.iter().filter(|n| **n < before && !live.contains_key(n)) {
            let path = self.options.log_directory().join(format!("{number:016x}.seg"));
            let octets = self.segment_octets(*number);
            self.bodies.forget(*number);
            std::fs::remove_file(&path).map_err(|e| open::io("remove", &path, &e))?;
            report.removed += 1;
            report.removed_octets += octets;
        }
        Ok(())
    }
}
