//! Another rule for a generator, and what it means for everybody.

use crate::api::Shared;
use crate::stamp::{self, BATCH, Listener};
use crate::wire::{AddressChange, MAX_PAGE, Restamped, StampFailed};
use crate::{ApiError, find};
use concord_base::{ObjectId, StorageError};
use concord_directory::{Details, DirectoryAct, DirectoryError, Kind, Object, Restamp, RuleChange};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Changes that are shown: enough to see what a rule does.
const SHOWN: usize = 20;

/// What a rule would do if everybody got addresses by it. Nothing is changed.
///
/// # Errors
/// There is no such generator, the text is no rule for it, or the directory
/// could not be read.
pub(crate) async fn preview(
    shared: &Shared,
    generator: &str,
    rule: &str,
) -> Result<Restamped, ApiError> {
    let generator = find::object(shared, Kind::Generator, generator).await?;
    let change = RuleChange::of(&generator, rule)?;
    let (mut taken, mut done) = (HashSet::new(), Restamped::default());
    let ids = stamp::ids(shared, &Kind::RECIPIENTS).await?;
    for batch in ids.chunks(BATCH) {
        for id in batch {
            let Some(found) = shared.api.directory.object(*id).await? else { continue };
            let mut object = Object::clone(&found);
            let outcome = change.apply(&*shared.api.directory, &mut object, &mut taken).await;
            count(&mut done, &object.name, outcome);
        }
        // Requests get their turn on this thread.
        tokio::task::yield_now().await;
    }
    Ok(done)
}

/// Gives everybody addresses by another rule, then makes it the generator's: who
/// is added meanwhile is among them. If it ends early the old rule holds, and
/// saying it again goes on where it ended.
///
/// # Errors
/// As [`preview`]; [`StorageError::InUse`] if another rule is being brought in.
pub(crate) async fn restamp(
    shared: &Shared,
    generator: &str,
    rule: &str,
    listener: &Listener<Restamped>,
) -> Result<Restamped, ApiError> {
    let busy = |_| StorageError::InUse("the rule of a generator");
    let _turn = shared.restamping.try_lock().map_err(busy)?;
    let generator = find::object(shared, Kind::Generator, generator).await?;
    let change = RuleChange::of(&generator, rule)?;
    let (mut done, mut seen) = (Restamped::default(), HashSet::new());
    let mut waiting = unseen(shared, &seen).await?;
    loop {
        for batch in waiting.chunks(BATCH) {
            let writer = shared.api.writer.whole().await;
            restamp_batch(shared, &change, batch, &mut done).await?;
            drop(writer);
            seen.extend(batch.iter().copied());
            listener.step(seen.len(), waiting.len().max(seen.len())).await?;
        }
        let _writer = shared.api.writer.whole().await;
        waiting = unseen(shared, &seen).await?;
        if waiting.len() <= BATCH {
            restamp_batch(shared, &change, &waiting, &mut done).await?;
            set_rule(shared, &generator, rule).await?;
            return Ok(done);
        }
    }
}

async fn unseen(shared: &Shared, seen: &HashSet<ObjectId>) -> Result<Vec<ObjectId>, ApiError> {
    let mut ids = stamp::ids(shared, &Kind::RECIPIENTS).await?;
    ids.retain(|id| !seen.contains(id));
    Ok(ids)
}

async fn restamp_batch(
    shared: &Shared,
    change: &RuleChange,
    ids: &[ObjectId],
    done: &mut Restamped,
) -> Result<(), ApiError> {
    let (mut taken, mut changes) = (HashSet::new(), JoinSet::new());
    for id in ids {
        // Removed meanwhile.
        let Some(found) = shared.api.directory.object(*id).await? else { continue };
        let mut object = Object::clone(&found);
        match change.apply(&*shared.api.directory, &mut object, &mut taken).await {
            Ok(outcome @ (Restamp::Added(_) | Restamp::Moved { .. })) => {
                let directory = Arc::clone(&shared.api.directory);
                changes.spawn(async move {
                    let name = object.name.clone();
                    let stored = directory.change(DirectoryAct::Set(object)).await;
                    (name, stored.map(|_| outcome))
                });
            }
            outcome => count(done, &object.name, outcome),
        }
    }
    let mut stored = changes.join_all().await;
    stored.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, outcome) in stored {
        match outcome {
            // Nothing that follows would fare better.
            Err(DirectoryError::Storage(error)) => return Err(error.into()),
            outcome => count(done, &name, outcome.map_err(|error| error.to_string())),
        }
    }
    Ok(())
}

/// Only if it is still the rule that this began with.
async fn set_rule(shared: &Shared, began: &Object, rule: &str) -> Result<(), ApiError> {
    let mut object = Object::clone(&*find::object(shared, Kind::Generator, &began.name).await?);
    let same = object.generator().map(|now| &now.rule) == began.generator().map(|was| &was.rule);
    if !same {
        return Err(ApiError::Invalid(format!(
            "cannot change the rule of {}: somebody else changed it meanwhile; look at it and \
             say it again",
            began.name
        )));
    }
    if let Details::Generator(generator) = &mut object.details {
        rule.clone_into(&mut generator.rule);
    }
    shared.api.directory.change(DirectoryAct::Set(object)).await?;
    Ok(())
}

fn count(done: &mut Restamped, name: &str, outcome: Result<Restamp, String>) {
    let (old, new) = match outcome {
        Ok(Restamp::Kept) => return done.kept += 1,
        Ok(Restamp::ByHand) => return done.by_hand += 1,
        Ok(Restamp::Without) => return,
        Ok(Restamp::Added(new)) => {
            done.added += 1;
            (None, new)
        }
        Ok(Restamp::Moved { old, new }) => {
            done.moved += 1;
            (Some(old.to_string()), new)
        }
        Err(cause) => {
            done.failed += 1;
            if done.failures.len() < MAX_PAGE as usize {
                done.failures.push(StampFailed { mailbox: name.to_owned(), cause });
            }
            return;
        }
    };
    if done.changes.len() < SHOWN {
        let change = AddressChange { recipient: name.to_owned(), old, new: new.to_string() };
        done.changes.push(change);
    }
}
