//! Directories: what is asked of GroupWise, what it answers, and what it tells
//! unasked.
//!
//! What is taken, how fields are mapped, who is deleted: all that is the core's to
//! decide. This side asks the gateway, matches answers to questions, and puts
//! changes into files.
//!
//! The gateway has no word of success. A file of changes was done when it is
//! gone from `API_IN` and does not lie in `GWPROB`.

mod answers;
mod ask;
mod change;
mod entries;

pub(crate) use answers::Answers;
pub(crate) use entries::updates;

use crate::link::Link;
use concord_address::TypedAddress;
use concord_connector::wire::{ChangeResult, ListingEnd, PresentEnd, SyncChange, Synchronise};
use concord_connector::{EntrySink, PresentSink, SynchroniseError, Synchronises};
use concord_dirsync::ListingKind;
use std::sync::Arc;

/// A connector's part of a run.
pub(crate) struct Directories {
    pub link: Arc<Link>,
    pub answers: Arc<Answers>,
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
        let came = self.everything().await?;
        for entry in &came.entries {
            if let Some(entry) = entries::listed(entry, &self.link.settings.foreign_domain) {
                to.entry(entry).await?;
            }
        }
        // The whole file was there: the gateway ends it with -END- only then.
        Ok(ListingEnd { kind: ListingKind::Full, complete: true, announced: None })
    }

    async fn present(
        &self,
        _asked: &Synchronise,
        to: &mut PresentSink<'_>,
    ) -> Result<PresentEnd, SynchroniseError> {
        for post_office in self.post_offices().await? {
            for entry in &self.users(&post_office).await?.entries {
                if let Some(entry) = entries::present(entry) {
                    to.entry(entry).await?;
                }
            }
        }
        Ok(PresentEnd { complete: true, announced: None })
    }

    async fn apply(&self, changes: &[SyncChange]) -> Result<Vec<ChangeResult>, SynchroniseError> {
        self.change(changes).await
    }
}

/// The value of an address as the core writes it: with or without its type.
fn value(address: &str) -> String {
    match address.parse::<TypedAddress>() {
        Ok(typed) if !typed.kind().is_smtp() => typed.value().to_owned(),
        _ => address.to_owned(),
    }
}
