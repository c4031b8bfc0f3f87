//! What is known of clients, shared by all sessions.

use crate::config::InternetMailConfig;
use crate::keep;
use concord_base::{Clock, Timestamp};
use concord_mail_policy::{Event, Greylisting, Policy};
use concord_reputation::{
    Blocklists, Exceeded, Greylist, Limiter, NoAnswer, Passed, Presented, Resolve, Who,
};
use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{RData, RecordType};
use std::fmt;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The greylist's file below the service's directory.
const GREYLIST: &str = "greylist";

pub(crate) struct Reputation {
    limiter: Mutex<(u64, Limiter)>,
    greylist: Mutex<Greylist>,
    pub(super) blocklists: Blocklists,
    file: Option<PathBuf>,
    /// Who writes last must write what is newest.
    writing: Mutex<()>,
}

impl fmt::Debug for Reputation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reputation").finish_non_exhaustive()
    }
}

impl Reputation {
    /// Reads what an earlier process kept. What cannot be read begins anew: it
    /// only makes strangers come twice once more.
    pub(crate) fn new(config: &InternetMailConfig, clock: &dyn Clock) -> Self {
        let file = config.state.as_ref().map(|directory| directory.join(GREYLIST));
        let greylist = file.as_ref().and_then(|file| match keep::read(file) {
            Ok(octets) => {
                let greylist = octets.map(|octets| Greylist::from_octets(&octets, clock.now()));
                greylist.transpose().unwrap_or_else(|error| {
                    tracing::warn!(%error, file = %file.display(), "the greylist is damaged");
                    None
                })
            }
            Err(error) => {
                tracing::warn!(%error, file = %file.display(), "cannot read the greylist");
                None
            }
        });
        Self {
            limiter: Mutex::new((0, Limiter::new())),
            greylist: Mutex::new(greylist.unwrap_or_default()),
            blocklists: Blocklists::new(),
            file,
            writing: Mutex::default(),
        }
    }

    /// Asks the limiter, with the rows of this state of the policy.
    fn limiter<T>(
        &self,
        (policy, generation): (&Policy, u64),
        ask: impl FnOnce(&mut Limiter) -> T,
    ) -> T {
        let mut limiter = self.limiter.lock().unwrap_or_else(PoisonError::into_inner);
        // A session that still has the state of before must not undo the new one.
        if limiter.0 < generation {
            limiter.1.adopt(&policy.limits);
            limiter.0 = generation;
        }
        ask(&mut limiter.1)
    }

    /// Counts an event, if it fits.
    pub(super) fn take(
        &self,
        policy: (&Policy, u64),
        event: Event,
        who: &Who<'_>,
        now: Timestamp,
    ) -> Result<(), Exceeded> {
        if policy.0.limits.is_empty() {
            return Ok(());
        }
        self.limiter(policy, |limiter| limiter.take(event, who, now))
    }

    /// Whether an event fits; it is not counted.
    pub(super) fn check(
        &self,
        policy: (&Policy, u64),
        event: Event,
        who: &Who<'_>,
        now: Timestamp,
    ) -> Result<(), Exceeded> {
        self.limiter(policy, |limiter| limiter.check(event, who, now))
    }

    /// Counts an event that has happened.
    pub(super) fn count(
        &self,
        policy: (&Policy, u64),
        event: Event,
        who: &Who<'_>,
        now: Timestamp,
    ) {
        self.limiter(policy, |limiter| limiter.count(event, who, now));
    }

    /// Whether a delivery passes the greylist.
    pub(super) fn greylist(
        &self,
        settings: &Greylisting,
        presented: &Presented<'_>,
        now: Timestamp,
    ) -> Result<Passed, Duration> {
        let mut greylist = self.greylist.lock().unwrap_or_else(PoisonError::into_inner);
        greylist.ask(settings, presented, now)
    }

    /// Writes what has changed. Blocks.
    pub(crate) fn save(&self) {
        let Some(file) = &self.file else { return };
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let changes = || self.greylist.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(octets) = changes().take_changes() else { return };
        if let Err(error) = keep::write(file, &octets) {
            changes().changes_are_lost();
            tracing::warn!(%error, file = %file.display(), "cannot keep the greylist");
        }
    }
}

/// Lists are asked by way of the resolver that other names are looked up with.
pub(super) struct Names<'a>(pub(super) &'a TokioResolver);

impl Names<'_> {
    async fn look_up(&self, name: &str, kind: RecordType) -> Result<Vec<RData>, NoAnswer> {
        match self.0.lookup(format!("{name}."), kind).await {
            Ok(lookup) => Ok(lookup.answers().iter().map(|record| record.data.clone()).collect()),
            Err(e) if e.is_no_records_found() || e.is_nx_domain() => Ok(Vec::new()),
            Err(_) => Err(NoAnswer),
        }
    }
}

#[async_trait::async_trait]
impl Resolve for Names<'_> {
    async fn addresses(&self, name: &str) -> Result<Vec<Ipv4Addr>, NoAnswer> {
        let found = self.look_up(name, RecordType::A).await?;
        let address = |data| match data {
            RData::A(a) => Some(a.0),
            _ => None,
        };
        Ok(found.into_iter().filter_map(address).collect())
    }

    async fn text(&self, name: &str) -> Result<Option<String>, NoAnswer> {
        let found = self.look_up(name, RecordType::TXT).await?;
        let text = |data| match data {
            RData::TXT(txt) => {
                let octets: Vec<u8> = txt.txt_data.iter().flat_map(|part| part.to_vec()).collect();
                Some(String::from_utf8_lossy(&octets).into_owned())
            }
            _ => None,
        };
        Ok(found.into_iter().find_map(text))
    }
}
