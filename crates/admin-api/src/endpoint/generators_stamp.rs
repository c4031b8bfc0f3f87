//! `POST /v1/generators/stamp`: addresses for mailboxes that lack one of a type
//! that has a generator.

use crate::ApiError;
use crate::api::{Shared, State as App};
use crate::extract::Query;
use crate::stamp::{self, BATCH, Listener};
use crate::wire::{MAX_PAGE, StampFailed, StampQuery, Stamped};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use concord_base::{ObjectId, StorageError};
use concord_directory::{DirectoryAct, DirectoryError, Object, Stamp};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::task::JoinSet;

/// May be said again: what is stamped stays.
pub(crate) async fn post(
    State(shared): App,
    Query(query): Query<StampQuery>,
) -> Result<Response, ApiError> {
    if query.progress {
        return Ok(stamp::told(async move |listener| stamp_all(&shared, &listener).await));
    }
    Ok(Json(stamp_all(&shared, &Listener::nobody()).await?).into_response())
}

/// Every mailbox that lacks an address gets one.
pub(crate) async fn stamp_all(
    shared: &Shared,
    listener: &Listener<Stamped>,
) -> Result<Stamped, ApiError> {
    let stamps = Stamp::all(&*shared.api.directory).await?;
    if stamps.is_empty() {
        return Ok(Stamped::default());
    }
    let ids = stamp::ids(shared, &stamp::STAMPED).await?;
    let (mut done, mut looked_at) = (Stamped::default(), 0);
    for batch in ids.chunks(BATCH) {
        stamp_batch(shared, &stamps, batch, &mut done).await?;
        looked_at += batch.len();
        listener.step(looked_at, ids.len()).await?;
    }
    Ok(done)
}

async fn stamp_batch(
    shared: &Shared,
    stamps: &[Stamp],
    ids: &[ObjectId],
    done: &mut Stamped,
) -> Result<(), ApiError> {
    let _writer = shared.api.writer.whole().await;
    let (mut taken, mut changes) = (HashSet::new(), JoinSet::new());
    for id in ids {
        // Removed meanwhile.
        let Some(found) = shared.api.directory.object(*id).await? else { continue };
        let mut object = Object::clone(&found);
        let names = object.names();
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

fn fail(done: &mut Stamped, mailbox: &str, cause: String) {
    if done.failed.len() < MAX_PAGE as usize {
        done.failed.push(StampFailed { mailbox: mailbox.to_owned(), cause });
    }
}
