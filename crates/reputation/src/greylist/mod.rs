//! Who comes again when he is asked to (RFC 6647).

mod state;

pub use state::Damaged;

use crate::limits::{GIVEN_UP_AFTER, MAX_KNOWN, MAX_WAITING, RETRY_WINDOW};
use crate::network::network;
use concord_base::Timestamp;
use concord_mail_policy::Greylisting;
use lru::LruCache;
use sha2::{Digest, Sha256};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// A triplet or a network: half of its SHA-256. Nobody finds two with the same
/// half, and the file says nobody's address.
type Key = [u8; 16];

/// A delivery that a client wants to make.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    /// The client.
    pub client: IpAddr,
    /// The reverse-path; `None` is the null one.
    pub sender: Option<&'a str>,
    /// The recipient.
    pub recipient: &'a str,
}

/// Why a delivery is let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed {
    /// Its network has come again before.
    Known,
    /// It has come again now, and its network is known from now on.
    CameAgain,
    /// There is no place left to remember it.
    NoRoom,
}

/// Triplets that have to come again, and networks that have. Bounded by
/// [`MAX_WAITING`] and [`MAX_KNOWN`].
pub struct Greylist {
    /// When it came for the first time; never looked up in a way that changes
    /// the order, so the oldest is the least recent.
    waiting: LruCache<Key, Timestamp>,
    /// When it came last.
    known: LruCache<Key, Timestamp>,
    /// Whether there is something that no file has.
    changed: bool,
}

impl fmt::Debug for Greylist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (waiting, known) = self.len();
        f.debug_struct("Greylist").field("waiting", &waiting).field("known", &known).finish()
    }
}

impl Default for Greylist {
    fn default() -> Self {
        Self::new()
    }
}

impl Greylist {
    /// Nobody is known.
    pub fn new() -> Self {
        Self { waiting: LruCache::unbounded(), known: LruCache::unbounded(), changed: false }
    }

    /// Whether a delivery passes.
    ///
    /// # Errors
    /// How long the client has to wait.
    pub fn ask(
        &mut self,
        settings: &Greylisting,
        presented: &Presented<'_>,
        now: Timestamp,
    ) -> Result<Passed, Duration> {
        let host = digest(&[&octets(presented.client)]);
        if let Some(last) = self.known.get_mut(&host) {
            if now.since(*last) <= settings.remember.0 {
                self.changed |= *last != now;
                *last = now;
                return Ok(Passed::Known);
            }
            self.known.pop(&host);
        }
        let triplet = digest(&[
            &octets(presented.client),
            presented.sender.unwrap_or_default().to_lowercase().as_bytes(),
            presented.recipient.to_lowercase().as_bytes(),
        ]);
        // A clock that was turned back would make it wait for as long again.
        let first = self.waiting.peek(&triplet).copied().filter(|first| *first <= now);
        match first {
            Some(first) if now.since(first) >= RETRY_WINDOW => {
                self.waiting.pop(&triplet);
                self.begin(triplet, settings.delay.0, now)
            }
            Some(first) => match settings.delay.0.checked_sub(now.since(first)) {
                Some(left) if !left.is_zero() => Err(left),
                _ => {
                    self.waiting.pop(&triplet);
                    self.learn(host, now);
                    Ok(Passed::CameAgain)
                }
            },
            None => {
                self.waiting.pop(&triplet);
                self.begin(triplet, settings.delay.0, now)
            }
        }
    }

    fn begin(&mut self, triplet: Key, delay: Duration, now: Timestamp) -> Result<Passed, Duration> {
        while let Some((_, first)) = self.waiting.peek_lru() {
            let age = now.since(*first);
            let full = self.waiting.len() >= MAX_WAITING;
            if age < RETRY_WINDOW && !(full && age >= GIVEN_UP_AFTER) {
                break;
            }
            self.waiting.pop_lru();
        }
        if self.waiting.len() >= MAX_WAITING {
            return Ok(Passed::NoRoom);
        }
        self.waiting.push(triplet, now);
        self.changed = true;
        Err(delay)
    }

    fn learn(&mut self, host: Key, now: Timestamp) {
        self.known.push(host, now);
        if self.known.len() > MAX_KNOWN {
            self.known.pop_lru();
        }
        self.changed = true;
    }

    /// How many wait, and how many networks are known.
    pub fn len(&self) -> (usize, usize) {
        (self.waiting.len(), self.known.len())
    }

    /// Whether it knows nobody at all.
    pub fn is_empty(&self) -> bool {
        self.len() == (0, 0)
    }

    /// Its state as octets, if it has changed since the last time.
    pub fn take_changes(&mut self) -> Option<Vec<u8>> {
        std::mem::take(&mut self.changed).then(|| self.to_octets())
    }

    /// What was taken could not be kept; it is to be taken again.
    pub fn changes_are_lost(&mut self) {
        self.changed = true;
    }
}

fn octets(client: IpAddr) -> Vec<u8> {
    match network(client) {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

fn digest(parts: &[&[u8]]) -> Key {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(part);
    }
    let mut key = Key::default();
    for (to, from) in key.iter_mut().zip(hash.finalize()) {
        *to = from;
    }
    key
}

#[cfg(test)]
mod tests;
