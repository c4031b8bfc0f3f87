//! How much somebody does: the rows `[[limit]]`.

mod window;

use crate::limits::MAX_SUBJECTS;
use crate::network::network;
use concord_base::Timestamp;
use concord_mail_policy::{Event, Limit, Subject};
use lru::LruCache;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::time::Duration;
use window::Window;

/// Who does something, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub struct Who<'a> {
    /// The client's address.
    pub client: IpAddr,
    /// Whom it has logged in as.
    pub user: Option<&'a str>,
    /// The domain of the reverse-path, in lower case.
    pub domain: Option<&'a str>,
}

/// Somebody has done as much as he may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    /// The row.
    pub limit: Limit,
    /// After this time there is a place again.
    pub wait: Duration,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event = match self.limit.of {
            Event::Connections => "connections",
            Event::Messages => "messages",
            Event::Recipients => "recipients",
            Event::FailedLogins => "failed logins",
        };
        let subject = match self.limit.per {
            Subject::Host => "host",
            Subject::Network => "network",
            Subject::User => "user",
            Subject::Domain => "sender's domain",
        };
        let (most, within) = (self.limit.most, self.limit.within);
        write!(f, "more than {most} {event} of one {subject} within {within}")
    }
}

/// Counts what clients do, by the rows of the policy. Its memory is bounded by
/// [`MAX_SUBJECTS`] for each row; it does not hold addresses or names, but
/// their hashes.
pub struct Limiter {
    rows: Vec<Row>,
    hasher: RandomState,
}

struct Row {
    limit: Limit,
    seen: LruCache<u64, Window>,
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limits: Vec<&Limit> = self.rows.iter().map(|row| &row.limit).collect();
        f.debug_struct("Limiter").field("limits", &limits).finish_non_exhaustive()
    }
}

impl Default for Limiter {
    fn default() -> Self {
        Self::new()
    }
}

impl Limiter {
    /// Without rows everything fits.
    pub fn new() -> Self {
        Self { rows: Vec::new(), hasher: RandomState::new() }
    }

    /// Takes the rows of a new state of the policy. What a row has counted stays
    /// if only its number changes.
    pub fn adopt(&mut self, limits: &[Limit]) {
        let mut before = std::mem::take(&mut self.rows);
        self.rows.extend(limits.iter().map(|limit| {
            let same = |row: &Row| {
                (row.limit.per, row.limit.of, row.limit.within)
                    == (limit.per, limit.of, limit.within)
            };
            match before.iter().position(same) {
                Some(at) => Row { limit: *limit, seen: before.swap_remove(at).seen },
                None => Row { limit: *limit, seen: LruCache::unbounded() },
            }
        }));
    }

    /// Whether an event fits all rows, without counting it.
    ///
    /// # Errors
    /// The row that it does not fit for longest.
    pub fn check(&mut self, event: Event, who: &Who<'_>, now: Timestamp) -> Result<(), Exceeded> {
        let mut worst: Option<Exceeded> = None;
        for row in self.rows.iter_mut().filter(|row| row.limit.of == event) {
            let Some(key) = key(&self.hasher, row.limit.per, who) else { continue };
            let Some(window) = row.seen.get_mut(&key) else { continue };
            let Some(wait) = window.wait(row.limit.most, row.limit.within.0, now) else { continue };
            if worst.is_none_or(|worst| worst.wait < wait) {
                worst = Some(Exceeded { limit: row.limit, wait });
            }
        }
        worst.map_or(Ok(()), Err)
    }

    /// Counts an event, whether it fits or not.
    pub fn count(&mut self, event: Event, who: &Who<'_>, now: Timestamp) {
        for row in self.rows.iter_mut().filter(|row| row.limit.of == event) {
            let Some(key) = key(&self.hasher, row.limit.per, who) else { continue };
            row.seen.get_or_insert_mut(key, Window::default).count(row.limit.within.0, now);
            if row.seen.len() > MAX_SUBJECTS {
                row.seen.pop_lru();
            }
        }
    }

    /// Counts an event if it fits all rows. What does not fit is not counted:
    /// whoever goes on trying gets in at the rate of the limit.
    ///
    /// # Errors
    /// See [`Limiter::check`].
    pub fn take(&mut self, event: Event, who: &Who<'_>, now: Timestamp) -> Result<(), Exceeded> {
        self.check(event, who, now)?;
        self.count(event, who, now);
        Ok(())
    }

    /// Subjects that are counted at the moment.
    pub fn subjects(&self) -> usize {
        self.rows.iter().map(|row| row.seen.len()).sum()
    }
}

fn key(hasher: &RandomState, per: Subject, who: &Who<'_>) -> Option<u64> {
    match per {
        Subject::Host => Some(hasher.hash_one(who.client.to_canonical())),
        Subject::Network => Some(hasher.hash_one(network(who.client))),
        Subject::User => who.user.map(|user| hasher.hash_one(user.to_lowercase())),
        Subject::Domain => who.domain.map(|domain| hasher.hash_one(domain)),
    }
}

#[cfg(test)]
mod tests;
