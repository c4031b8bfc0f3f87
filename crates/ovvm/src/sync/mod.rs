//! Directories: listings that hosts send as NAMES files, and the one that they get.
//!
//! A host cannot be asked for its directory: somebody there, usually a service
//! machine with a timer, sends a NAMES file to the directory user of this node. The
//! last one of each host is kept in the core, and a run of synchronisation takes
//! it for the listing. What is exported is kept there too, and goes as one NAMES
//! file to every host at the end of a run that changed it; a host that cannot be
//! reached gets it with the next run.
//!
//! What is taken, how fields are mapped, who is deleted: all that is the core's to
//! decide.

mod arrive;
mod names;
mod send;
mod store;

pub(crate) use arrive::{ListingError, listing_came};

use crate::shared::Running;
use concord_cms_mail::HostAddress;
use concord_connector::wire::{
    ChangeAct, ChangeResult, ListingEnd, PresentEnd, SyncChange, Synchronise,
};
use concord_connector::{
    EntrySink, PresentSink, SynchroniseError, Synchronises, run_synchronisation,
};
use concord_dirsync::{ForeignKey, ListingKind};
use names::{Listing, Person};
use std::sync::Arc;
use store::Store;

/// Carries a connector's part of a run out, and sends the hosts what it changed.
pub(crate) async fn run(running: &Arc<Running>, work: u64, asked: &Synchronise) {
    let directories = Directories { running: Arc::clone(running) };
    let api = &running.shared.api;
    if let Err(error) = run_synchronisation(api, work, asked, &directories).await {
        tracing::warn!(audience = "operator", %error, "a synchronisation of directories ended early");
        return;
    }
    if asked.export && !asked.dry_run {
        send::to_all_hosts(running, asked.full).await;
    }
}

/// A connector's part of a run.
struct Directories {
    running: Arc<Running>,
}

impl Directories {
    fn store(&self) -> Store<'_> {
        Store { api: &self.running.shared.api }
    }

    fn hosts(&self) -> Result<&[HostAddress], SynchroniseError> {
        let hosts = &self.running.shared.settings.directory_hosts;
        if hosts.is_empty() {
            return Err(foreign(format!(
                "no host takes part: name the users who send their directory by 'concord connector \
                 set {} --setting directory-hosts=NODE.USER'",
                self.running.shared.name
            )));
        }
        Ok(hosts)
    }

    fn own_node(&self) -> String {
        self.running.node.name().to_string()
    }
}

fn foreign(error: impl ToString) -> SynchroniseError {
    SynchroniseError::Foreign(error.to_string())
}

#[async_trait::async_trait]
impl Synchronises for Directories {
    async fn list(
        &self,
        _asked: &Synchronise,
        to: &mut EntrySink<'_>,
    ) -> Result<ListingEnd, SynchroniseError> {
        let (mut complete, own) = (true, self.own_node());
        for host in self.hosts()? {
            let Some(listing) = self.store().listing_of(host).await? else {
                // Nobody of a host that has not sent its listing yet is missing.
                tracing::info!(%host, "the host has not sent its directory yet");
                complete = false;
                continue;
            };
            for person in listing.people() {
                to.entry(person.listed(&own)).await?;
            }
        }
        Ok(ListingEnd { kind: ListingKind::Full, complete, announced: None })
    }

    async fn present(
        &self,
        _asked: &Synchronise,
        to: &mut PresentSink<'_>,
    ) -> Result<PresentEnd, SynchroniseError> {
        let listing = self.store().own_listing().await?;
        for person in listing.people() {
            to.entry(person.present()).await?;
        }
        Ok(PresentEnd { complete: true, announced: None })
    }

    async fn apply(&self, changes: &[SyncChange]) -> Result<Vec<ChangeResult>, SynchroniseError> {
        self.hosts()?;
        let mut listing = self.store().own_listing().await?;
        let own = self.own_node();
        let results: Vec<ChangeResult> =
            changes.iter().map(|change| apply(&mut listing, change, &own)).collect();
        self.store().keep_own_listing(&listing).await?;
        Ok(results)
    }
}

/// Makes one change of the own listing.
fn apply(listing: &mut Listing, change: &SyncChange, own: &str) -> ChangeResult {
    let number = change.number;
    let done = match change.act {
        ChangeAct::Delete => {
            if let Some(key) = &change.key {
                listing.remove(key);
            }
            Ok(None)
        }
        ChangeAct::Add | ChangeAct::Modify => Person::exported(&change.attributes, own)
            .map(|person| put(listing, change.key.as_ref(), person)),
    };
    match done {
        Ok(key) => ChangeResult { number, key, error: None },
        Err(error) => ChangeResult { number, key: None, error: Some(error) },
    }
}

/// Its key from now on.
fn put(listing: &mut Listing, before: Option<&ForeignKey>, person: Person) -> Option<ForeignKey> {
    if let Some(before) = before {
        listing.remove(before);
    }
    let key = person.key();
    listing.put(person);
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_mapping::Attributes;

    fn change(act: ChangeAct, key: Option<&str>, address: &str, name: &str) -> SyncChange {
        SyncChange {
            number: 1,
            act,
            key: key.map(|key| ForeignKey(key.to_owned())),
            mark: None,
            name: name.to_owned(),
            attributes: Attributes::from([
                ("address".to_owned(), vec![address.to_owned()]),
                ("name".to_owned(), vec![name.to_owned()]),
            ]),
            changed: Vec::new(),
            before: Attributes::new(),
        }
    }

    fn addresses(listing: &Listing) -> Vec<String> {
        listing.people().map(|person| person.key().0).collect()
    }

    #[test]
    fn changes_make_the_listing_that_hosts_get() {
        let mut listing = Listing::default();
        for (user, name) in [("ALICE", "Alice"), ("BOB", "Bob")] {
            let address = format!("CONCORD.{user}");
            let done =
                apply(&mut listing, &change(ChangeAct::Add, None, &address, name), "CONCORD");
            assert_eq!(done.key.unwrap().0, address.to_lowercase());
        }
        // An address that changes is one entry, not two.
        let moved = change(ChangeAct::Modify, Some("concord.bob"), "CONCORD.ROBERT", "Bob");
        apply(&mut listing, &moved, "CONCORD");
        assert_eq!(addresses(&listing), ["concord.alice", "concord.robert"]);
        let gone = change(ChangeAct::Delete, Some("concord.alice"), "", "");
        assert_eq!(apply(&mut listing, &gone, "CONCORD").error, None);
        assert_eq!(apply(&mut listing, &gone, "CONCORD").error, None, "gone is gone");
        assert_eq!(addresses(&listing), ["concord.robert"]);
    }

    #[test]
    fn only_addresses_of_the_own_node_are_exported() {
        let mut listing = Listing::default();
        for address in ["VM1.BOB", "CONCORD", "CONCORD.NAMETOOLONG"] {
            let done = apply(&mut listing, &change(ChangeAct::Add, None, address, "x"), "CONCORD");
            assert!(done.error.is_some(), "{address}");
        }
        assert_eq!(listing.people().count(), 0);
    }
}
