//! Carrying an import's plan out on this directory.
//!
//! Deletions, then modifications and adoptions, then additions. Each batch holds
//! the directory's writer and shares its syncs; between batches other changes get
//! their turn. Every object is looked at again within its batch: it may have
//! changed since the plan was made.

use super::error::SyncError;
use super::order::{Step, order};
use super::run::Run;
use super::seam::{self, Stamper};
use super::snapshot::Snapshot;
use super::{import, object};
use crate::api::Shared;
use concord_address::AddressType;
use concord_base::{ObjectId, Timestamp};
use concord_directory::{
    Contact, Details, Directory, DirectoryAct, DirectoryError, NewObject, Object, Origin, Policy,
};
use concord_dirsync::{Deletion, Entry, Plan, Subject};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Changes that share a sync; other changes wait for one batch at most.
const BATCH: usize = 250;

/// Applies plans for one connector.
pub(super) struct Applier<'a> {
    pub shared: &'a Shared,
    pub run: &'a Run,
    pub snapshot: &'a Snapshot,
    pub container: Option<ObjectId>,
    pub stamper: Stamper,
}

type Outcomes = JoinSet<(Subject, Result<(), DirectoryError>)>;

/// What a change counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    Added,
    Adopted,
    Modified,
    Deleted,
}

impl Applier<'_> {
    /// Carries a plan out. What cannot be done with one entry is told with it.
    ///
    /// # Errors
    /// The storage, which nothing that follows would fare better with.
    pub async fn apply(&mut self, plan: Plan) -> Result<(), SyncError> {
        self.run.phase("deleting", plan.deletions.len());
        for batch in plan.deletions.chunks(BATCH) {
            self.delete(batch).await?;
        }
        let changed: Vec<(Entry, bool)> = plan
            .adoptions
            .into_iter()
            .map(|entry| (entry, true))
            .chain(plan.modifications.into_iter().map(|entry| (entry, false)))
            .collect();
        self.run.phase("changing", changed.len());
        self.change(changed).await?;
        self.run.phase("adding", plan.additions.len());
        for batch in plan.additions.chunks(BATCH) {
            self.add(batch).await?;
        }
        Ok(())
    }

    fn directory(&self) -> &Arc<dyn Directory> {
        &self.shared.api.directory
    }

    /// Whether an object is one that this connector brought.
    fn is_ours(&self, object: &Object) -> bool {
        let origin = object.policy.origin.as_ref();
        origin.is_some_and(|origin| origin.connector == self.run.connector)
    }

    async fn delete(&self, batch: &[Deletion]) -> Result<(), SyncError> {
        let _writer = seam::writer(self.shared).await;
        let mut outcomes = Outcomes::new();
        for deletion in batch {
            let Some(id) = deletion.subject.id else { continue };
            let found = self.directory().object(id).await?;
            // Gone meanwhile, or somebody else's.
            if !found.is_some_and(|object| self.is_ours(&object)) {
                self.run.advance(1);
                continue;
            }
            self.spawn(&mut outcomes, deletion.subject.clone(), DirectoryAct::Remove(id));
        }
        self.collect(outcomes, Counted::Deleted).await
    }

    fn spawn(&self, outcomes: &mut Outcomes, subject: Subject, act: DirectoryAct) {
        let directory = Arc::clone(self.directory());
        outcomes.spawn(async move { (subject, directory.change(act).await.map(drop)) });
    }

    async fn collect(&self, mut outcomes: Outcomes, counted: Counted) -> Result<(), SyncError> {
        while let Some(ended) = outcomes.join_next().await {
            // Only a core that stops ends a task before its end.
            let (subject, outcome) = ended.map_err(|_| SyncError::Stopped)?;
            self.run.advance(1);
            match outcome {
                Ok(()) => self.count(counted, 1),
                Err(error) => self.fail(&subject, error)?,
            }
        }
        Ok(())
    }

    fn count(&self, counted: Counted, by: u64) {
        self.run.count_import(|counts| match counted {
            Counted::Added => counts.added += by,
            Counted::Adopted => counts.adopted += by,
            Counted::Modified => counts.modified += by,
            Counted::Deleted => counts.deleted += by,
        });
    }

    /// An entry could not be written: it is told, and the others go on. A storage
    /// that fails ends the run.
    fn fail(&self, subject: &Subject, error: DirectoryError) -> Result<(), SyncError> {
        if matches!(error, DirectoryError::Storage(_)) {
            return Err(error.into());
        }
        self.told(subject, error.to_string());
        Ok(())
    }

    fn told(&self, subject: &Subject, cause: String) {
        self.run.count_import(|counts| {
            counts.failed += 1;
            import::remark(&mut counts.failures, subject, cause);
        });
    }

    /// Changes objects, those first that others wait for.
    async fn change(&self, entries: Vec<(Entry, bool)>) -> Result<(), SyncError> {
        let mut known = Vec::with_capacity(entries.len());
        for (entry, adopted) in entries {
            let before = entry.subject.id.and_then(|id| self.snapshot.object(id));
            let Some(before) = before.map(|object| Object::clone(object)) else { continue };
            match self.changed(&entry, adopted, &before) {
                Ok(after) => known.push((entry, adopted, Step { before, after })),
                Err(cause) => {
                    self.run.advance(1);
                    self.told(&entry.subject, cause);
                }
            }
        }
        let steps: Vec<Step> = known.iter().map(|(_, _, step)| step.clone()).collect();
        let order = order(&steps);
        drop(steps);
        for wave in &order.waves {
            for batch in wave.chunks(BATCH) {
                let batch = batch.iter().filter_map(|place| known.get(*place));
                self.change_batch(batch).await?;
            }
        }
        for circle in &order.circles {
            let circle: Vec<_> = circle.iter().filter_map(|place| known.get(*place)).collect();
            self.change_together(&circle).await?;
        }
        Ok(())
    }

    /// An object as the entry wants it.
    fn changed(&self, entry: &Entry, adopted: bool, now: &Object) -> Result<Object, String> {
        let mut after = now.clone();
        object::apply(entry, &mut after)?;
        if adopted {
            let key = entry.subject.key.clone().map(|key| key.0).unwrap_or_default();
            after.policy.origin = Some(Origin { connector: self.run.connector.clone(), key });
        }
        Ok(after)
    }

    /// An object as it is to be stored; none if there is nothing to store.
    async fn current(
        &self,
        (entry, adopted, step): &(Entry, bool, Step),
    ) -> Result<Option<Object>, SyncError> {
        let now = self.directory().object(step.before.id).await?;
        // Changed meanwhile, but still whose it was.
        let still = |now: &Object| match &now.policy.origin {
            Some(_) => self.is_ours(now),
            None => *adopted,
        };
        let after = match &now {
            Some(now) if now.usn == step.before.usn => Ok(step.after.clone()),
            Some(now) if still(now) => self.changed(entry, *adopted, now),
            _ => Err("it was changed or removed during the run; run again".to_owned()),
        };
        let after = match after {
            Ok(after) => after,
            Err(cause) => {
                self.run.advance(1);
                self.told(&entry.subject, cause);
                return Ok(None);
            }
        };
        // The directory may keep less than the rules give, such as blanks.
        if now.is_some_and(|now| *now == after) {
            self.run.advance(1);
            self.run.count_import(|counts| counts.unchanged += 1);
            return Ok(None);
        }
        Ok(Some(after))
    }

    async fn change_batch(
        &self,
        batch: impl Iterator<Item = &(Entry, bool, Step)>,
    ) -> Result<(), SyncError> {
        let _writer = seam::writer(self.shared).await;
        let (mut adopting, mut modifying) = (Outcomes::new(), Outcomes::new());
        for one in batch {
            let Some(after) = self.current(one).await? else { continue };
            let outcomes = if one.1 { &mut adopting } else { &mut modifying };
            self.spawn(outcomes, one.0.subject.clone(), DirectoryAct::Set(after));
        }
        self.collect(adopting, Counted::Adopted).await?;
        self.collect(modifying, Counted::Modified).await
    }

    /// Objects that want something of each other.
    async fn change_together(&self, circle: &[&(Entry, bool, Step)]) -> Result<(), SyncError> {
        let _writer = seam::writer(self.shared).await;
        let mut objects = Vec::with_capacity(circle.len());
        for one in circle {
            objects.extend(self.current(one).await?);
        }
        if objects.is_empty() {
            return Ok(());
        }
        let changed = objects.len();
        let outcome = self.directory().change(DirectoryAct::SetTogether(objects)).await;
        self.run.advance(changed);
        match outcome {
            Ok(_) => {
                for (_, adopted, _) in circle {
                    self.count(if *adopted { Counted::Adopted } else { Counted::Modified }, 1);
                }
                Ok(())
            }
            Err(error) => {
                circle.iter().try_for_each(|(entry, _, _)| self.fail(&entry.subject, error.clone()))
            }
        }
    }

    async fn add(&mut self, batch: &[Entry]) -> Result<(), SyncError> {
        let _writer = seam::writer(self.shared).await;
        let mut outcomes = Outcomes::new();
        for entry in batch {
            let mut object = match self.new_contact(entry) {
                Ok(object) => object,
                Err(cause) => {
                    self.run.advance(1);
                    self.told(&entry.subject, cause);
                    continue;
                }
            };
            for cause in self.stamper.give(self.shared, &mut object).await? {
                tracing::warn!(
                    connector = self.run.connector,
                    contact = object.name,
                    cause,
                    "an imported contact lacks an address"
                );
            }
            let add = DirectoryAct::Add(object.into());
            self.spawn(&mut outcomes, entry.subject.clone(), add);
        }
        self.collect(outcomes, Counted::Added).await?;
        // They are in the directory now.
        self.stamper.taken.clear();
        Ok(())
    }

    fn new_contact(&self, entry: &Entry) -> Result<Object, String> {
        let target = entry
            .changes
            .iter()
            .find(|change| change.attribute.to_string() == "targetaddress")
            .and_then(|change| change.after.first())
            .ok_or("it has no address")?;
        let target = target.parse().map_err(|e| format!("its address: {e}"))?;
        let key = entry.subject.key.clone().map(|key| key.0).unwrap_or_default();
        let policy = Policy {
            container: self.container,
            origin: Some(Origin { connector: self.run.connector.clone(), key }),
            ..Policy::default()
        };
        let new = NewObject { policy, ..NewObject::new("", Details::Contact(Contact { target })) };
        let mut object = Object::from_new(ObjectId(0), new, Timestamp(0));
        object::apply(entry, &mut object)?;
        Ok(object)
    }
}

/// The type of the addresses that contacts of a plan have in their own system.
pub(super) fn target_type(plan: &Plan) -> Option<AddressType> {
    let changes = plan.additions.iter().flat_map(|entry| &entry.changes);
    let mut targets = changes.filter(|change| change.attribute.to_string() == "targetaddress");
    let text = targets.next()?.after.first()?;
    text.parse::<concord_address::TypedAddress>().ok().map(|address| address.kind().clone())
}
