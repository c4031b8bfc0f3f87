//! From the foreign directory to this one.

use super::apply::{Applier, target_type};
use super::error::SyncError;
use super::history;
use super::run::Run;
use super::seam::Stamper;
use super::settings::Compiled;
use super::snapshot::Snapshot;
use crate::api::Shared;
use crate::connectors;
use crate::wire::{SyncCounts, SyncRemark};
use concord_base::StorageError;
use concord_dirsync::{ForeignKey, Import, Listing, ListingKind, Plan, Reason, Skipped, Subject};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Entries that are named in what is kept of a run.
const MAX_REMARKS: usize = 100;
/// Characters of what is said of one.
const MAX_REMARK: usize = 500;

/// Plans, and carries the plan out unless the run is dry.
pub(super) async fn import(
    shared: &Shared,
    run: &Run,
    compiled: &Arc<Compiled>,
    listing: Listing,
) -> Result<(), SyncError> {
    let listed = listing.entries.len();
    run.phase("planning the import", listed);
    run.count_import(|counts| counts.listed = count(listed));
    let snapshot = Snapshot::read(shared).await?;
    let told = history::told(shared, &run.connector).await?;
    let (kind, complete) = (listing.kind, listing.complete);
    let (snapshot, told, plan) =
        planned(Arc::clone(compiled), snapshot, told, listing, run.connector.clone()).await?;
    run.count_import(|counts| of_plan(counts, &plan));
    if run.options.dry_run {
        run.count_import(|counts| would(counts, &plan));
        run.keep_plan(plan);
        return Ok(());
    }
    let connector = &run.connector;
    if kind == ListingKind::Full {
        history::tell(shared, connector, &told, &plan.collisions).await?;
    }
    alarm(shared, run, &plan, "import").await;
    if !complete {
        let text = format!(
            "the listing of run {} ended before its end after {} entries: what came was taken in, \
             and nobody was deleted; the next run looks again",
            run.id, listed
        );
        leave(shared, run, "sync.listing-incomplete", text).await;
    }
    collided(shared, run, &plan).await;
    let own_type = target_type(&plan).filter(|_| !compiled.relayed);
    let stamper = Stamper::new(shared, own_type.as_ref()).await?;
    let container = compiled.container;
    let mut applier = Applier { shared, run, snapshot: &snapshot, container, stamper };
    applier.apply(plan).await
}

type Planned = (Snapshot, BTreeSet<ForeignKey>, Plan);

/// Plans on a thread of its own: a large directory takes seconds.
async fn planned(
    compiled: Arc<Compiled>,
    snapshot: Snapshot,
    told: BTreeSet<ForeignKey>,
    listing: Listing,
    connector: String,
) -> Result<Planned, SyncError> {
    let work = move || {
        let owned = snapshot.owned(&connector);
        let import = Import {
            listing: &listing,
            rules: &compiled.import.rules,
            filters: &compiled.import.filters,
            parameters: &compiled.parameters,
            policy: &compiled.import_policy,
            owned: &owned,
            known_collisions: &told,
        };
        let plan = import.plan(&snapshot);
        (snapshot, told, plan)
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| StorageError::Bug(format!("planning ended: {e}")).into())
}

/// What a plan leaves as it is.
pub(super) fn of_plan(counts: &mut SyncCounts, plan: &Plan) {
    counts.unchanged = plan.unchanged;
    counts.left_out = count(plan.skipped.len());
    counts.reasons = reasons(&plan.skipped);
    counts.failed = count(plan.failed.len());
    counts.collisions = count(plan.collisions.len());
    counts.new_collisions = count(plan.collisions.iter().filter(|c| !c.known).count());
    counts.replaced = plan.replaced;
    if let Some(withheld) = &plan.withheld {
        counts.withheld = count(withheld.deletions.len());
        counts.withheld_because = Some(withheld.why.to_string());
    }
    for failed in &plan.failed {
        remark(&mut counts.failures, &failed.subject, failed.failure.to_string());
    }
    for collision in &plan.collisions {
        let adoptable = if collision.adoptable { "; it could be adopted" } else { "" };
        let text = format!("{} belongs to {}{adoptable}", collision.address, collision.holder);
        remark(&mut counts.collided, &collision.subject, text);
    }
}

/// What a plan would change.
pub(super) fn would(counts: &mut SyncCounts, plan: &Plan) {
    counts.added = count(plan.additions.len());
    counts.adopted = count(plan.adoptions.len());
    counts.modified = count(plan.modifications.len());
    counts.deleted = count(plan.deletions.len());
}

/// Why entries do not take part, without what differs from one to the other.
fn reasons(skipped: &[Skipped]) -> Vec<(String, u64)> {
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for skipped in skipped {
        let reason = match &skipped.reason {
            Reason::ElsewhereOwned { .. } => "its place is not ours".to_owned(),
            other => other.to_string(),
        };
        *found.entry(reason).or_default() += 1;
    }
    let mut found: Vec<(String, u64)> = found.into_iter().collect();
    found.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    found.truncate(MAX_REMARKS);
    found
}

pub(super) fn remark(remarks: &mut Vec<SyncRemark>, subject: &Subject, text: String) {
    if remarks.len() < MAX_REMARKS {
        remarks.push(SyncRemark {
            name: subject.name.chars().take(MAX_REMARK).collect(),
            key: subject.key.as_ref().map(|key| key.0.chars().take(MAX_REMARK).collect()),
            text: text.chars().take(MAX_REMARK).collect(),
        });
    }
}

/// Leaves a notice if deletions were withheld, and nobody approved them.
pub(super) async fn alarm(shared: &Shared, run: &Run, plan: &Plan, direction: &str) {
    let Some(withheld) = &plan.withheld else { return };
    let text = format!(
        "the {direction} of run {} did not delete {} entries: {}; 'concord connector sync {} \
         --{direction} --dry-run' shows them, --approve deletes them",
        run.id,
        withheld.deletions.len(),
        withheld.why,
        run.connector
    );
    leave(shared, run, "sync.deletions-withheld", text).await;
}

/// One warning for all entries whose address is taken, and none for those that
/// were told before (Q238447).
async fn collided(shared: &Shared, run: &Run, plan: &Plan) {
    let new: Vec<_> = plan.collisions.iter().filter(|collision| !collision.known).collect();
    let Some(first) = new.first() else { return };
    let text = format!(
        "{} entries were left out, because their addresses are taken: the first is {}, whose {} \
         belongs to {}; 'concord connector sync {} --status' names them, --adopt takes contacts \
         over that were made by hand",
        new.len(),
        first.subject,
        first.address,
        first.holder,
        run.connector
    );
    leave(shared, run, "sync.collisions", text).await;
}

pub(super) async fn leave(shared: &Shared, run: &Run, code: &str, text: String) {
    if let Err(error) = connectors::leave_notice(shared, &run.connector, code, &text).await {
        tracing::warn!(connector = run.connector, %error, "a notice could not be left");
    }
}

pub(super) fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
