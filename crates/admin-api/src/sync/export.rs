//! From this directory to the foreign one.

use super::drive::Talk;
use super::error::SyncError;
use super::import::{alarm, count, of_plan, remark, would};
use super::links::LinkBook;
use super::run::Run;
use super::settings::Compiled;
use super::snapshot::recipient;
use crate::api::Shared;
use concord_base::{ObjectId, StorageError};
use concord_connector::wire::{ChangeAct, MAX_CHANGES_IN_PAGE, SyncChange, SyncStep};
use concord_directory::{MAX_CHANGES, Object};
use concord_dirsync::{Export, ForeignKey, Plan, Present, PresentEntry, Recipient, Scope, Subject};
use concord_mapping::Attributes;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What of this directory is exported.
struct Ours {
    recipients: Vec<Recipient>,
    scope: Scope,
    /// The position of the changes that it holds.
    up_to: u64,
}

/// Plans, and has the connector carry the plan out unless the run is dry.
pub(super) async fn export(
    shared: &Shared,
    run: &Run,
    talk: &mut Talk<'_>,
    compiled: &Arc<Compiled>,
) -> Result<(), SyncError> {
    let mut book = LinkBook::read(shared, &run.connector).await?;
    let Some(ours) = ours(shared, run, compiled, &book).await? else {
        run.count_export(|_| {});
        return Ok(());
    };
    run.count_export(|counts| counts.listed = count(ours.recipients.len()));
    run.phase("listing what the other side has", 0);
    run.step(SyncStep::Present);
    let present = talk.until(Run::present).await?;
    run.step(SyncStep::Wait);
    run.phase("planning the export", ours.recipients.len());
    let (ours, links) = (Arc::new(ours), book.links.clone());
    let (plan, present) = planned(Arc::clone(compiled), Arc::clone(&ours), present, links).await?;
    run.count_export(|counts| of_plan(counts, &plan));
    if run.options.dry_run {
        run.count_export(|counts| would(counts, &plan));
        run.keep_plan(plan);
        return Ok(());
    }
    alarm(shared, run, &plan, "export").await;
    let full = ours.scope == Scope::Full;
    book.state.again.clear();
    book.state.full = false;
    for id in withheld(&plan) {
        book.state.again(id);
    }
    for failed in &plan.failed {
        failed.subject.id.into_iter().for_each(|id| book.state.again(id));
    }
    let changes = changes(&plan, &present);
    carry_out(shared, run, talk, &mut book, changes).await?;
    if full {
        forget_links(&mut book, &present);
    }
    (book.state.cursor, book.state.fingerprint) = (ours.up_to, compiled.fingerprint);
    book.save(shared).await
}

fn withheld(plan: &Plan) -> impl Iterator<Item = ObjectId> {
    let deletions = plan.withheld.iter().flat_map(|withheld| &withheld.deletions);
    deletions.filter_map(|deletion| deletion.subject.id)
}

/// Links whose entry the foreign side does not have any more, in a whole listing,
/// and which this run did not make.
fn forget_links(book: &mut LinkBook, present: &PresentNow) {
    if !present.complete {
        return;
    }
    let lost: Vec<ObjectId> = book
        .links
        .iter()
        .filter(|(id, key)| {
            present.linked_before.get(id) == Some(key) && !present.entries.contains_key(key)
        })
        .map(|(id, _)| *id)
        .collect();
    lost.into_iter().for_each(|id| book.remove(id));
}

/// What is to be exported; none if nothing has changed since the last export.
async fn ours(
    shared: &Shared,
    run: &Run,
    compiled: &Compiled,
    book: &LinkBook,
) -> Result<Option<Ours>, SyncError> {
    let state = &book.state;
    let whole = run.options.full
        || state.full
        || state.cursor == 0
        || state.fingerprint != compiled.fingerprint;
    run.phase("reading this directory", 0);
    if !whole && let Some(changed) = changed(shared, run, book).await? {
        let Scope::Changed { gone } = &changed.scope else { return Ok(Some(changed)) };
        let nothing = changed.recipients.is_empty() && gone.is_empty();
        return Ok((!nothing).then_some(changed));
    }
    let Some((objects, _, up_to)) = since(shared, 0).await? else {
        return Err(StorageError::Bug("changes since ever cannot be told".to_owned()).into());
    };
    let recipients = recipients(run, book, objects.values());
    Ok(Some(Ours { recipients, scope: Scope::Full, up_to }))
}

/// What changed since the last export, and what is to be tried again; none if
/// that cannot be told.
async fn changed(shared: &Shared, run: &Run, book: &LinkBook) -> Result<Option<Ours>, SyncError> {
    let Some((mut objects, mut gone, up_to)) = since(shared, book.state.cursor).await? else {
        return Ok(None);
    };
    for id in &book.state.again {
        match shared.api.directory.object(*id).await? {
            Some(object) => drop(objects.insert(*id, object)),
            None => gone.push(*id),
        }
    }
    let recipients = recipients(run, book, objects.values());
    gone.sort();
    gone.dedup();
    Ok(Some(Ours { recipients, scope: Scope::Changed { gone }, up_to }))
}

type Since = (BTreeMap<ObjectId, Arc<Object>>, Vec<ObjectId>, u64);

/// Recipients that changed and that went since a position.
async fn since(shared: &Shared, position: u64) -> Result<Option<Since>, SyncError> {
    let (mut objects, mut gone, mut after) = (BTreeMap::new(), Vec::new(), position);
    loop {
        let changes = shared.api.directory.directory_changes(after, MAX_CHANGES).await?;
        if changes.begin_anew {
            return Ok(None);
        }
        let changed = changes.objects.into_iter().filter(|o| o.kind().is_recipient());
        objects.extend(changed.map(|object| (object.id, object)));
        for removed in changes.removed {
            if removed.object.kind().is_recipient() {
                objects.remove(&removed.object.id);
                gone.push(removed.object.id);
            }
        }
        after = changes.up_to;
        if !changes.more {
            return Ok(Some((objects, gone, after)));
        }
    }
}

/// What the connector brought itself is left out here already, unless it was
/// exported before it was adopted: a large import would else be told entry by
/// entry.
fn recipients<'a>(
    run: &Run,
    book: &LinkBook,
    objects: impl Iterator<Item = &'a Arc<Object>>,
) -> Vec<Recipient> {
    let own = |object: &Object| {
        let origin = object.policy.origin.as_ref();
        origin.is_some_and(|origin| origin.connector == run.connector)
    };
    let takes = |object: &&Arc<Object>| !own(object) || book.links.contains_key(&object.id);
    objects.filter(takes).filter_map(|object| recipient(object)).collect()
}

/// What the foreign side has, by key.
struct PresentNow {
    complete: bool,
    entries: HashMap<ForeignKey, Attributes>,
    linked_before: BTreeMap<ObjectId, ForeignKey>,
}

async fn planned(
    compiled: Arc<Compiled>,
    ours: Arc<Ours>,
    present: Present,
    links: BTreeMap<ObjectId, ForeignKey>,
) -> Result<(Plan, PresentNow), SyncError> {
    let work = move || {
        let export = Export {
            recipients: &ours.recipients,
            scope: &ours.scope,
            present: &present,
            links: &links,
            rules: &compiled.export.rules,
            filters: &compiled.export.filters,
            parameters: &compiled.parameters,
            policy: &compiled.export_policy,
        };
        let plan = export.plan();
        let by_key = |entry: PresentEntry| (entry.key, entry.attributes);
        let entries = present.entries.into_iter().map(by_key).collect();
        (plan, PresentNow { complete: present.complete, entries, linked_before: links })
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| StorageError::Bug(format!("planning ended: {e}")).into())
}

/// The changes of a plan as the connector gets them: what frees something first.
fn changes(plan: &Plan, present: &PresentNow) -> Vec<SyncChange> {
    let mut changes: Vec<SyncChange> = Vec::new();
    let mut number = 0;
    let mut push = |act, subject: &Subject, attributes, changed, before| {
        number += 1;
        changes.push(SyncChange {
            number,
            act,
            key: subject.key.clone(),
            mark: subject.id,
            name: subject.name.clone(),
            attributes,
            changed,
            before,
        });
    };
    for deletion in &plan.deletions {
        let key = deletion.subject.key.as_ref();
        let before = key.and_then(|key| present.entries.get(key)).cloned().unwrap_or_default();
        push(ChangeAct::Delete, &deletion.subject, Attributes::new(), Vec::new(), before);
    }
    for (act, entries) in
        [(ChangeAct::Modify, &plan.modifications), (ChangeAct::Add, &plan.additions)]
    {
        for entry in entries {
            let key = entry.subject.key.as_ref();
            let before = key.and_then(|key| present.entries.get(key)).cloned().unwrap_or_default();
            let mut after = before.clone();
            entry.apply(&mut after);
            let changed = entry.changes.iter().map(|change| change.attribute.to_string()).collect();
            push(act, &entry.subject, after, changed, before);
        }
    }
    changes
}

/// Has the connector make the changes, page by page. What each page did is kept
/// at once.
async fn carry_out(
    shared: &Shared,
    run: &Run,
    talk: &mut Talk<'_>,
    book: &mut LinkBook,
    changes: Vec<SyncChange>,
) -> Result<(), SyncError> {
    run.phase("exporting", changes.len());
    for (page, changes) in (1..).zip(changes.chunks(MAX_CHANGES_IN_PAGE)) {
        run.step(SyncStep::Apply { page, changes: changes.to_vec() });
        let results = talk.until(Run::results).await?;
        run.step(SyncStep::Wait);
        let mut by_number: HashMap<u64, _> =
            results.results.into_iter().map(|result| (result.number, result)).collect();
        for change in changes {
            let result = by_number.remove(&change.number);
            let error = match &result {
                None => Some("the connector did not say what became of it".to_owned()),
                Some(result) => result.error.clone(),
            };
            match error {
                Some(error) => fail(run, book, change, error),
                None => done(run, book, change, result.and_then(|result| result.key)),
            }
        }
        run.advance(changes.len());
        book.save(shared).await?;
    }
    Ok(())
}

fn fail(run: &Run, book: &mut LinkBook, change: &SyncChange, error: String) {
    let subject = Subject { name: change.name.clone(), key: change.key.clone(), id: change.mark };
    run.count_export(|counts| {
        counts.failed += 1;
        remark(&mut counts.failures, &subject, error);
    });
    match change.mark {
        Some(id) => book.state.again(id),
        // Nobody's here any more: only a whole comparison finds it again.
        None => book.state.full = true,
    }
}

fn done(run: &Run, book: &mut LinkBook, change: &SyncChange, key: Option<ForeignKey>) {
    run.count_export(|counts| match change.act {
        ChangeAct::Add => counts.added += 1,
        ChangeAct::Modify => counts.modified += 1,
        ChangeAct::Delete => counts.deleted += 1,
    });
    let Some(id) = change.mark else { return };
    match (change.act, key.or_else(|| change.key.clone())) {
        (ChangeAct::Delete, _) => book.remove(id),
        (_, Some(key)) => book.set(id, key),
        (_, None) => {}
    }
}
