//! Changes for GroupWise's directory.

use super::answers::Came;
use super::entries::{key_of, object};
use super::{Directories, foreign, value};
use concord_connector::SynchroniseError;
use concord_connector::wire::{ChangeAct, ChangeResult, SyncChange};
use concord_groupwise_api::layout;
use concord_groupwise_api::model::{Address, Directory, Entry, Operation};
use std::collections::BTreeSet;
use std::time::Duration;

/// Changes in one file: what one refusal can hold up, and a file that the
/// gateway reads in a moment.
const IN_ONE_FILE: usize = 100;
/// Between looks whether the gateway has taken a file.
const LOOK: Duration = Duration::from_millis(200);
/// After the gateway has taken a file, for the refusal to lie in GWPROB.
const REFUSAL: Duration = Duration::from_millis(500);

/// A change with the object that it is about.
#[derive(Clone)]
struct Planned<'a> {
    change: &'a SyncChange,
    address: Address,
}

impl Planned<'_> {
    /// What stands in the file. In front of every change of an object stands an
    /// Add, since one of an object that GroupWise does not know is refused, and
    /// an Add of one that it knows does no harm (Q241086).
    fn entries(&self) -> Vec<Entry> {
        let make = |operation| object(operation, &self.address, &self.change.attributes);
        match self.change.act {
            ChangeAct::Add | ChangeAct::Modify => {
                vec![make(Operation::Add), make(Operation::Modify)]
            }
            ChangeAct::Delete => vec![make(Operation::Delete)],
        }
    }

    fn done(&self, error: Option<String>) -> ChangeResult {
        let key = (self.change.act != ChangeAct::Delete).then(|| key_of(&self.address));
        ChangeResult { number: self.change.number, key, error }
    }
}

impl Directories {
    /// Changes the foreign domain; see [`super`] for how success is known.
    pub(super) async fn change(
        &self,
        changes: &[SyncChange],
    ) -> Result<Vec<ChangeResult>, SynchroniseError> {
        let mut results = Vec::with_capacity(changes.len());
        let mut planned = Vec::with_capacity(changes.len());
        for change in changes {
            match self.address_of(change) {
                Ok(address) => planned.push(Planned { change, address }),
                Err(error) => {
                    results.push(ChangeResult {
                        number: change.number,
                        key: None,
                        error: Some(error),
                    });
                }
            }
        }
        self.make_post_offices(&planned).await?;
        let is_delete = |one: &&Planned<'_>| one.change.act == ChangeAct::Delete;
        let (gone, kept): (Vec<&Planned<'_>>, Vec<&Planned<'_>>) =
            planned.iter().partition(|one| is_delete(one));
        // An addition may need the name that a deletion frees.
        for some in gone.chunks(IN_ONE_FILE).chain(kept.chunks(IN_ONE_FILE)) {
            results.extend(self.file(some).await?);
        }
        Ok(results)
    }

    /// Where the object lies; an error if that is none of our places (Q235497).
    fn address_of(&self, change: &SyncChange) -> Result<Address, String> {
        let written = change.attributes.get("address").and_then(|values| values.first());
        let text = match (written, &change.key) {
            (Some(address), _) => value(address),
            (None, Some(key)) => key.0.clone(),
            (None, None) => return Err("it has no GroupWise address".to_owned()),
        };
        let address = Address::from_dotted(&text);
        let ours = &self.link.settings.foreign_domain;
        if !address.is_complete() || !address.domain.eq_ignore_ascii_case(ours) {
            return Err(format!("{text} is not in the domain {ours}, which alone is ours"));
        }
        Ok(Address { domain: ours.clone(), ..address })
    }

    /// Post offices that the changes need and that were not made yet.
    async fn make_post_offices(&self, planned: &[Planned<'_>]) -> Result<(), SynchroniseError> {
        let mut known = self.post_offices().await?;
        let before = known.clone();
        let needed = planned.iter().filter(|one| one.change.act != ChangeAct::Delete);
        known.extend(needed.map(|one| one.address.post_office.clone()));
        // Once per run for all of them: one that is there already stays as it is.
        for post_office in &known {
            let domain = &self.link.settings.foreign_domain;
            let request = Directory::add_post_office(domain, post_office);
            let name = self.hand_over("post-office", request).await?;
            if let Some(refusal) = self.fate(&name).await? {
                tracing::info!(post_office, refusal, "the post office was not made");
            }
        }
        if known != before {
            self.remember(known).await?;
        }
        Ok(())
    }

    /// Changes in one file; if the gateway refuses it, each in a file of its own,
    /// so that one does not keep the others.
    async fn file(&self, some: &[&Planned<'_>]) -> Result<Vec<ChangeResult>, SynchroniseError> {
        let refusal = self.send(some).await?;
        if refusal.is_none() {
            return Ok(some.iter().map(|one| one.done(None)).collect());
        }
        let mut results = Vec::with_capacity(some.len());
        let mut refused: Vec<(&Planned<'_>, String)> = Vec::new();
        for one in some {
            let refusal = match some.len() {
                1 => refusal.clone(),
                _ => self.send(&[*one]).await?,
            };
            match refusal {
                None => results.push(one.done(None)),
                Some(refusal) => refused.push((one, refusal)),
            }
        }
        let gone = self.gone(&refused).await?;
        results.extend(refused.into_iter().map(|(one, refusal)| {
            let is_gone = gone.contains(&key_of(&one.address).0);
            one.done(Some(refusal).filter(|_| !is_gone))
        }));
        Ok(results)
    }

    /// Objects whose deletion was refused and that are not there: they are gone
    /// all the same (Q179996).
    async fn gone(
        &self,
        refused: &[(&Planned<'_>, String)],
    ) -> Result<BTreeSet<String>, SynchroniseError> {
        let deleted = refused.iter().filter(|(one, _)| one.change.act == ChangeAct::Delete);
        let mut gone: BTreeSet<String> =
            deleted.clone().map(|(one, _)| key_of(&one.address).0).collect();
        let offices: BTreeSet<&String> = deleted.map(|(one, _)| &one.address.post_office).collect();
        for post_office in offices {
            for entry in &self.users(post_office).await?.entries {
                let address = Address::new(&entry.domain, &entry.post_office, &entry.object);
                gone.remove(&key_of(&address).0);
            }
        }
        Ok(gone)
    }

    async fn send(&self, some: &[&Planned<'_>]) -> Result<Option<String>, SynchroniseError> {
        let entries = some.iter().flat_map(|one| one.entries()).collect();
        let request = Directory { entries, ..Directory::default() };
        let name = self.hand_over("change", request).await?;
        self.fate(&name).await
    }

    /// Waits until the gateway has taken a file; its complaint if it refused it.
    async fn fate(&self, name: &str) -> Result<Option<String>, SynchroniseError> {
        let until = tokio::time::Instant::now() + self.link.settings.directory_answer;
        loop {
            let wanted = name.to_owned();
            let waits = self.link.gateway.blocking(move |gateway| {
                gateway.check()?;
                Ok(gateway.root().join(layout::API_IN).join(wanted).exists())
            });
            if !waits.await.map_err(foreign)? {
                break;
            }
            if tokio::time::Instant::now() > until {
                return Err(foreign(format!(
                    "the gateway has not taken {name} from API_IN; is it running?"
                )));
            }
            tokio::time::sleep(LOOK).await;
        }
        tokio::time::sleep(REFUSAL).await;
        if let Some(complaint) = self.link.complaint(name).await.map_err(foreign)? {
            return Ok(Some(complaint));
        }
        let refused = |came: &Came| came.refusal.is_some() && came.name.eq_ignore_ascii_case(name);
        Ok(self.answers.take_all(refused).pop().and_then(|came| came.refusal))
    }
}
