//! Going through candidates, holding them against the filter, writing what
//! matches.

use super::encode;
use super::selection::Selection;
use crate::catalogue::{Catalogue, Entry, ROOT, Slot};
use crate::client::Client;
use crate::config::{LOOK_AT_ONCE, WRITE_CHUNK};
use crate::connection::{End, Output};
use crate::filter::{Evaluation, Filter};
use crate::result::Outcome;
use crate::session::Running;
use ldap3_proto::proto::{LdapSearchRequest, LdapSearchScope};
use roaring::RoaringBitmap;
use tokio::time::Instant;

/// Where a search looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Base(Slot),
    OneLevel(Slot),
    /// With whether the base itself is in it.
    Subtree(Slot, bool),
}

impl Scope {
    pub fn of(client: &Client, catalogue: &Catalogue, asked: &LdapSearchRequest) -> Outcome<Self> {
        let base = if asked.base.trim().is_empty() {
            ROOT
        } else {
            client.find(catalogue, &asked.base)?
        };
        Ok(match asked.scope {
            LdapSearchScope::Base => Self::Base(base),
            LdapSearchScope::OneLevel => Self::OneLevel(base),
            LdapSearchScope::Subtree => Self::Subtree(base, true),
            LdapSearchScope::Children => Self::Subtree(base, false),
        })
    }

    fn has(self, catalogue: &Catalogue, slot: Slot, entry: &Entry) -> bool {
        match self {
            Self::Base(base) => slot == base,
            Self::OneLevel(base) => entry.parent == base,
            Self::Subtree(base, itself) => {
                (itself || slot != base)
                    && (Some(base) == catalogue.organisation() || catalogue.is_within(slot, base))
            }
        }
    }

    /// The entries that the search may find.
    pub fn candidates(self, catalogue: &Catalogue, filter: &Filter) -> RoaringBitmap {
        let level = match self {
            Self::Base(base) => return [base].into_iter().collect(),
            Self::OneLevel(base) => Some(catalogue.children(base).cloned().unwrap_or_default()),
            Self::Subtree(..) => None,
        };
        match (filter.candidates(catalogue), level) {
            (Some(found), Some(level)) => found & level,
            (Some(found), None) => found,
            (None, Some(level)) => level,
            (None, None) => catalogue.everything().clone(),
        }
    }
}

/// Where the entries of a search come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// Those that may match, in the order of slots.
    Candidates { slots: RoaringBitmap, next: Slot },
    /// Those that matched, in another order.
    Sorted { slots: Vec<Slot>, next: usize },
}

/// A search, as far as it has got.
#[derive(Debug)]
pub(crate) struct Scan {
    pub epoch: u64,
    pub scope: Scope,
    pub filter: Filter,
    pub selection: Selection,
    pub source: Source,
    /// Entries that were given on the pages before.
    pub sent: usize,
    /// Of the request, so that a cookie is not used for another one.
    pub signature: u64,
}

/// Why no more entries come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    All,
    Limit,
    Time,
    /// The catalogue was made anew.
    Anew,
}

impl Scan {
    /// Writes entries until there are no more, or a limit is reached.
    pub async fn write(
        &mut self,
        client: &Client,
        id: i32,
        output: &mut Output,
        left: &mut usize,
        deadline: Instant,
        running: &Running,
    ) -> Result<Ended, End> {
        loop {
            let step = {
                let catalogue = client.server.follower.read();
                let (access, selection) = (client.access(), self.selection);
                let writer = &mut output.answer;
                self.step(&catalogue, client, &mut |slot, entry| {
                    // one more than fits is what the limit is told by
                    if *left == 0 {
                        return Taken::Refused;
                    }
                    *left -= 1;
                    encode::entry(writer, id, &catalogue, access, slot, entry, &selection);
                    if writer.out.len() >= WRITE_CHUNK { Taken::Pause } else { Taken::Next }
                })
            };
            if let Some(ended) = step {
                return Ok(ended);
            }
            output.flush_if_full().await?;
            if let Some(ended) = rest(deadline, running).await {
                return Ok(ended);
            }
        }
    }

    /// Every entry that matches, without writing it.
    pub async fn collect(
        &mut self,
        client: &Client,
        limit: usize,
        deadline: Instant,
        running: &Running,
    ) -> Result<Vec<Slot>, Ended> {
        let mut found = Vec::new();
        loop {
            let step = {
                let catalogue = client.server.follower.read();
                self.step(&catalogue, client, &mut |slot, _| {
                    if found.len() >= limit {
                        return Taken::Refused;
                    }
                    found.push(slot);
                    Taken::Next
                })
            };
            match step {
                Some(Ended::All) => return Ok(found),
                Some(ended) => return Err(ended),
                None => {}
            }
            if let Some(ended) = rest(deadline, running).await {
                return Err(ended);
            }
        }
    }

    /// Looks at some candidates; tells when there are no more, or one was not
    /// taken, which is looked at again next time.
    fn step(
        &mut self,
        catalogue: &Catalogue,
        client: &Client,
        take: &mut dyn FnMut(Slot, &Entry) -> Taken,
    ) -> Option<Ended> {
        if self.epoch != catalogue.epoch {
            return Some(Ended::Anew);
        }
        let mut evaluation = Evaluation::new(catalogue, client.access());
        let (scope, filter) = (self.scope, &self.filter);
        let mut matches = |slot: Slot| {
            let entry = catalogue.get(slot)?;
            let is = scope.has(catalogue, slot, entry)
                && catalogue.sees(client.access(), entry)
                && evaluation.matches(filter, slot, entry) == Some(true);
            is.then_some(entry)
        };
        match &mut self.source {
            Source::Candidates { slots, next } => {
                let mut looked = 0;
                for slot in slots.range(*next..) {
                    let taken = matches(slot).map_or(Taken::Next, |entry| take(slot, entry));
                    if taken == Taken::Refused {
                        return Some(Ended::Limit);
                    }
                    *next = slot.saturating_add(1);
                    looked += 1;
                    if taken == Taken::Pause || looked >= LOOK_AT_ONCE {
                        return None;
                    }
                }
                Some(Ended::All)
            }
            Source::Sorted { slots, next } => {
                let mut looked = 0;
                while let Some(slot) = slots.get(*next).copied() {
                    let taken = matches(slot).map_or(Taken::Next, |entry| take(slot, entry));
                    if taken == Taken::Refused {
                        return Some(Ended::Limit);
                    }
                    *next += 1;
                    looked += 1;
                    if taken == Taken::Pause || looked >= LOOK_AT_ONCE {
                        return None;
                    }
                }
                Some(Ended::All)
            }
        }
    }
}

/// Whether an entry was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Next,
    /// It was, and others are to wait.
    Pause,
    /// It was not, nor will the next be.
    Refused,
}

/// Lets others have their turn.
async fn rest(deadline: Instant, running: &Running) -> Option<Ended> {
    tokio::task::yield_now().await;
    if running.is_abandoned() {
        return Some(Ended::All);
    }
    (Instant::now() >= deadline).then_some(Ended::Time)
}
