//! `POST /v1/generators/stamp`: addresses for mailboxes that lack one of a type
//! that has a generator.

use crate::ApiError;
use crate::api::{Shared, State as App};
use crate::stamp::{self, Stamp};
use crate::wire::{MAX_PAGE, StampFailed, Stamped};
use axum::Json;
use axum::extract::State;
use concord_address::Names;
use concord_base::{ObjectId, StorageError};
use concord_directory::{DirectoryAct, DirectoryError, Kind, Object};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Mailboxes changed side by side, so that they share a sync; between batches
/// other changes get their turn.
const BATCH: usize = 100;

/// May be said again: what is stamped stays.
pub(crate) async fn post(State(shared): App) -> Result<Json<Stamped>, ApiError> {
    Ok(Json(stamp_all(&shared).await?))
}

/// Every mailbox that lacks an address gets one.
pub(crate) async fn stamp_all(shared: &Shared) -> Result<Stamped, ApiError> {
    let stamps = stamp::all(shared).await?;
    if stamps.is_empty() {
        return Ok(Stamped::default());
    }
    let mailboxes = shared.api.directory.list(Kind::Mailbox).await?;
    let ids: Vec<ObjectId> = mailboxes.iter().map(|mailbox| mailbox.id).collect();
    drop(mailboxes);
    let mut done = Stamped::default();
    for batch in ids.chunks(BATCH) {
        stamp_batch(shared, &stamps, batch, &mut done).await?;
    }
    Ok(done)
}

async fn stamp_batch(
    shared: &Shared,
    stamps: &[Stamp],
    ids: &[ObjectId],
    done: &mut Stamped,
) -> Result<(), ApiError> {
    let _writer = shared.directory_writer.lock().await;
    let (mut taken, mut changes) = (HashSet::new(), JoinSet::new());
    for id in ids {
        // Removed meanwhile.
        let Some(found) = shared.api.directory.object(*id).await? else { continue };
        let mut object = Object::clone(&found);
        let names = names_of(&object);
        let (added, causes) =
            stamp::add(shared, stamps, &names, &mut object.proxies, &mut taken).await;
        if !causes.is_empty() {
            fail(done, &object.name, causes.join("; "));
        }
        if added == 0 {
            done.already += u64::from(causes.is_empty());
            continue;
        }
        let directory = Arc::clone(&shared.api.directory);
        changes.spawn(async move {
            let name = object.name.clone();
            (name, directory.change(DirectoryAct::Set(object)).await)
        });
    }
    for (name, outcome) in changes.join_all().await {
        match outcome {
            Ok(_) => done.stamped += 1,
            // Nothing that follows would fare better.
            Err(DirectoryError::Storage(error @ StorageError::Stopping)) => {
                return Err(error.into());
            }
            Err(error) => fail(done, &name, error.to_string()),
        }
    }
    Ok(())
}

/// What generators know of a mailbox.
pub(crate) fn names_of(object: &Object) -> Names {
    Names {
        alias: object.name.clone(),
        display_name: object.display_name.clone(),
        ..Names::default()
    }
}

fn fail(done: &mut Stamped, mailbox: &str, cause: String) {
    if done.failed.len() < MAX_PAGE as usize {
        done.failed.push(StampFailed { mailbox: mailbox.to_owned(), cause });
    }
}
