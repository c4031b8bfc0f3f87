//! The greylist as octets: a line that says what it is, two counts, the entries
//! from the oldest on (16 octets of key, 8 of milliseconds), and the CRC-32C of
//! all. Numbers are little-endian.

use super::{Greylist, Key};
use crate::limits::{MAX_KNOWN, MAX_WAITING};
use concord_base::{Fault, Retry, Timestamp};
use lru::LruCache;

const TITLE: &[u8] = b"concord greylist 1\n";
const SUM: usize = 4;

/// Octets that are no greylist. Whoever finds them begins anew: all that is
/// lost is that senders are asked once more to come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damaged {
    /// The first line is another one.
    #[error("cannot read the greylist: it is none of this version; it begins anew")]
    Title,
    /// It ends early, or goes on behind its end.
    #[error("cannot read the greylist: it has another length than it says; it begins anew")]
    Length,
    /// Octets have changed.
    #[error("cannot read the greylist: its checksum does not fit; it begins anew")]
    Checksum,
}

impl Fault for Damaged {
    fn code(&self) -> &'static str {
        match self {
            Self::Title => "reputation.greylist-version",
            Self::Length => "reputation.greylist-length",
            Self::Checksum => "reputation.greylist-checksum",
        }
    }

    fn retry(&self) -> Retry {
        Retry::Permanent
    }
}

impl Greylist {
    /// Its state as octets.
    pub fn to_octets(&self) -> Vec<u8> {
        let mut out = TITLE.to_vec();
        for entries in [&self.waiting, &self.known] {
            let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
            out.extend_from_slice(&count.to_le_bytes());
        }
        for entries in [&self.waiting, &self.known] {
            for (key, at) in entries.iter().rev() {
                out.extend_from_slice(key);
                out.extend_from_slice(&at.0.to_le_bytes());
            }
        }
        out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
        out
    }

    /// Reads it back. Entries of a time after `now` are left out: the clock was
    /// wrong, and they would stand for ever.
    ///
    /// # Errors
    /// [`Damaged`].
    pub fn from_octets(octets: &[u8], now: Timestamp) -> Result<Self, Damaged> {
        let content = octets.strip_prefix(TITLE).ok_or(Damaged::Title)?;
        let end = octets.len().checked_sub(SUM).ok_or(Damaged::Length)?;
        let (summed, sum) = octets.split_at_checked(end).ok_or(Damaged::Length)?;
        let sum = u32::from_le_bytes(sum.try_into().map_err(|_| Damaged::Length)?);
        if crc32c::crc32c(summed) != sum {
            return Err(Damaged::Checksum);
        }
        let mut rest = content.get(..content.len().saturating_sub(SUM)).ok_or(Damaged::Length)?;
        let waiting = count(&mut rest, MAX_WAITING)?;
        let known = count(&mut rest, MAX_KNOWN)?;
        let waiting = entries(&mut rest, waiting, now)?;
        let known = entries(&mut rest, known, now)?;
        if !rest.is_empty() {
            return Err(Damaged::Length);
        }
        Ok(Self { waiting, known, changed: false })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Damaged> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or(Damaged::Length)?;
    *rest = tail;
    Ok(*head)
}

fn count(rest: &mut &[u8], most: usize) -> Result<usize, Damaged> {
    let count = usize::try_from(u32::from_le_bytes(take(rest)?)).map_err(|_| Damaged::Length)?;
    if count > most { Err(Damaged::Length) } else { Ok(count) }
}

fn entries(
    rest: &mut &[u8],
    count: usize,
    now: Timestamp,
) -> Result<LruCache<Key, Timestamp>, Damaged> {
    let mut entries = LruCache::unbounded();
    for _ in 0..count {
        let key: Key = take(rest)?;
        let at = Timestamp(i64::from_le_bytes(take(rest)?));
        if at <= now {
            entries.push(key, at);
        }
    }
    Ok(entries)
}
