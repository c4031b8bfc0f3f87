//! A foreign system and its connector, in this process.

use concord_connector::wire::{
    ChangeAct, ChangeResult, ListingEnd, PresentEnd, SyncChange, Synchronise, Work,
};
use concord_connector::{
    CoreApi, EntrySink, PresentSink, SynchroniseError, Synchronises, run_synchronisation,
};
use concord_dirsync::{ForeignEntry, ForeignKey, ListingKind, PresentEntry};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::task::JoinHandle;

pub type Attributes = BTreeMap<String, Vec<String>>;

/// What the foreign system has, and how it behaves.
#[derive(Default)]
pub struct State {
    /// Its own users, by `domain.post-office.object`.
    pub users: BTreeMap<String, Attributes>,
    /// What was exported to it.
    pub exported: BTreeMap<String, Attributes>,
    /// Lists so many and then breaks off.
    pub breaks_after: Option<usize>,
    /// How many it says that there are.
    pub announces: Option<u64>,
    /// Lists from the end.
    pub backwards: bool,
    /// Names that it refuses to write.
    pub refuses: BTreeSet<String>,
    /// Every change that came.
    pub changes: Vec<SyncChange>,
    /// Waits so long before it lists.
    pub delay: Duration,
    /// Never answers.
    pub hangs: bool,
    /// Says that it cannot go on.
    pub fails: Option<String>,
    /// How many runs reached it.
    pub runs: usize,
}

#[derive(Clone, Default)]
pub struct Foreign(Arc<Mutex<State>>);

pub fn attributes(pairs: &[(&str, &str)]) -> Attributes {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()])).collect()
}

impl Foreign {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Adds a user, or gives it other attributes.
    pub fn user(&self, object: &str, more: &[(&str, &str)]) {
        self.user_at("CORP", "PO", object, more);
    }

    pub fn user_at(&self, domain: &str, office: &str, object: &str, more: &[(&str, &str)]) {
        let mut all = vec![("domain", domain), ("post-office", office), ("object", object)];
        all.extend_from_slice(more);
        self.state().users.insert(format!("{domain}.{office}.{object}"), attributes(&all));
    }

    pub fn users(&self, count: usize) {
        for n in 0..count {
            let (object, last) = (format!("user{n:05}"), format!("User {n}"));
            self.user(&object, &[("first-name", "Jane"), ("last-name", &last), ("phone", "1")]);
        }
    }

    /// The exported entry at an address.
    pub fn exported(&self, address: &str) -> Option<Attributes> {
        self.state().exported.get(address).cloned()
    }

    /// Takes the changes that came since the last time.
    pub fn take_changes(&self) -> Vec<SyncChange> {
        std::mem::take(&mut self.state().changes)
    }

    /// The connector's process: asks for work until it is ended.
    pub fn connect(&self, api: CoreApi) -> JoinHandle<()> {
        let mine = self.clone();
        tokio::spawn(async move {
            loop {
                match api.work(20).await {
                    Ok(Some(item)) => {
                        if let Work::Synchronise(asked) = &item.work {
                            let _ = run_synchronisation(&api, item.id, asked, &mine).await;
                        }
                    }
                    Ok(None) => {}
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        })
    }

    fn change(&self, change: &SyncChange) -> Result<Option<ForeignKey>, String> {
        let mut state = self.state();
        if state.refuses.contains(&change.name) {
            return Err("the post office is closed".to_owned());
        }
        let key = change.key.clone().map(|key| key.0);
        if change.act == ChangeAct::Delete {
            state.exported.remove(&key.unwrap());
            return Ok(None);
        }
        let address = change.attributes["address"][0].clone();
        if change.act == ChangeAct::Modify {
            // As GroupWise does (Q241086).
            state.exported.remove(&key.unwrap()).ok_or("there is no such user")?;
        } else if state.exported.contains_key(&address) {
            return Err("there is such a user".to_owned());
        }
        state.exported.insert(address.clone(), change.attributes.clone());
        Ok(Some(ForeignKey(address)))
    }
}

#[async_trait::async_trait]
impl Synchronises for Foreign {
    async fn list(
        &self,
        _: &Synchronise,
        to: &mut EntrySink<'_>,
    ) -> Result<ListingEnd, SynchroniseError> {
        let (delay, hangs) = {
            let mut state = self.state();
            state.runs += 1;
            (state.delay, state.hangs)
        };
        tokio::time::sleep(delay).await;
        if hangs {
            std::future::pending::<()>().await;
        }
        let (mut users, breaks, announced) = {
            let state = self.state();
            if let Some(words) = &state.fails {
                return Err(SynchroniseError::Foreign(words.clone()));
            }
            let users: Vec<_> = state.users.clone().into_iter().collect();
            (users, state.breaks_after, state.announces)
        };
        if self.state().backwards {
            users.reverse();
        }
        for (key, attributes) in users.into_iter().take(breaks.unwrap_or(usize::MAX)) {
            to.entry(ForeignEntry::person(&key, attributes)).await?;
        }
        Ok(ListingEnd { kind: ListingKind::Full, complete: breaks.is_none(), announced })
    }

    async fn present(
        &self,
        _: &Synchronise,
        to: &mut PresentSink<'_>,
    ) -> Result<PresentEnd, SynchroniseError> {
        let mut exported: Vec<_> = self.state().exported.clone().into_iter().collect();
        if self.state().backwards {
            exported.reverse();
        }
        for (key, attributes) in exported {
            to.entry(PresentEntry { key: ForeignKey(key), mark: None, attributes }).await?;
        }
        Ok(PresentEnd { complete: true, announced: None })
    }

    async fn apply(&self, changes: &[SyncChange]) -> Result<Vec<ChangeResult>, SynchroniseError> {
        let mut results = Vec::new();
        for change in changes {
            let outcome = self.change(change);
            let (key, error) = (outcome.clone().ok().flatten(), outcome.err());
            results.push(ChangeResult { number: change.number, key, error });
        }
        self.state().changes.extend(changes.iter().cloned());
        Ok(results)
    }
}
