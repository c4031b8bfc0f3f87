//! Runs that are under way, as both sides see them.

use super::error::SyncError;
use crate::wire::{SyncCounts, SyncOptions, SyncPlans, SyncRun, SyncState};
use concord_connector::wire::{
    ChangeResults, ListingEnd, ListingPart, MAX_ENTRIES, PresentEnd, PresentPart, SyncStep,
};
use concord_dirsync::{ForeignEntry, ForeignKey, Listing, Plan, Present, PresentEntry};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A connector gives a sign of life at least every half minute; after four that
/// did not come it is gone.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// What a connector may say in a run.
pub(crate) enum Intake {
    Listing(ListingPart),
    ListingEnd(ListingEnd),
    Present(PresentPart),
    PresentEnd(PresentEnd),
    Results(ChangeResults),
}

impl Intake {
    fn what(&self) -> &'static str {
        match self {
            Self::Listing(_) | Self::ListingEnd(_) => "a listing",
            Self::Present(_) | Self::PresentEnd(_) => "a listing of what is present",
            Self::Results(_) => "results",
        }
    }
}

/// What a step gathers.
#[derive(Default)]
struct Gathered {
    entries: Vec<ForeignEntry>,
    gone: Vec<ForeignKey>,
    listing_end: Option<ListingEnd>,
    present: Vec<PresentEntry>,
    present_end: Option<PresentEnd>,
    results: Option<ChangeResults>,
    /// The last part that came.
    part: u64,
}

struct Inner {
    view: SyncRun,
    step: SyncStep,
    gathered: Gathered,
    heard: Instant,
    plans: SyncPlans,
}

/// A run.
pub(crate) struct Run {
    pub id: u64,
    pub connector: String,
    pub options: SyncOptions,
    inner: Mutex<Inner>,
    news: watch::Sender<u64>,
}

impl Run {
    pub fn new(connector: &str, view: SyncRun) -> Self {
        Self {
            id: view.id,
            connector: connector.to_owned(),
            options: view.options,
            inner: Mutex::new(Inner {
                view,
                step: SyncStep::Wait,
                gathered: Gathered::default(),
                heard: Instant::now(),
                plans: SyncPlans::default(),
            }),
            news: watch::Sender::new(0),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.news.send_modify(|count| *count += 1);
    }

    /// As administrators see it.
    pub fn view(&self) -> SyncRun {
        self.inner().view.clone()
    }

    /// Changes what administrators see.
    pub fn show(&self, change: impl FnOnce(&mut SyncRun)) {
        change(&mut self.inner().view);
    }

    /// Begins a phase.
    pub fn phase(&self, phase: &str, total: usize) {
        self.show(|view| {
            phase.clone_into(&mut view.phase);
            (view.done, view.total) = (0, count(total));
        });
    }

    /// So many entries of the phase are done.
    pub fn advance(&self, by: usize) {
        self.show(|view| view.done += count(by));
    }

    pub fn count_import(&self, change: impl FnOnce(&mut SyncCounts)) {
        self.show(|view| change(view.import.get_or_insert_default()));
    }

    pub fn count_export(&self, change: impl FnOnce(&mut SyncCounts)) {
        self.show(|view| change(view.export.get_or_insert_default()));
    }

    /// Keeps a plan for who wants to see it.
    pub fn keep_plan(&self, plan: Plan) {
        let text = plan.to_string();
        let plans = &mut self.inner().plans;
        match plan.direction {
            concord_dirsync::Direction::Import => {
                (plans.import_text, plans.import) = (Some(text), Some(plan));
            }
            concord_dirsync::Direction::Export => {
                (plans.export_text, plans.export) = (Some(text), Some(plan));
            }
        }
    }

    pub fn plans(&self) -> SyncPlans {
        SyncPlans { run: self.id, ..self.inner().plans.clone() }
    }

    /// Sets what the connector is to do next; the answer of an earlier step is
    /// forgotten.
    pub fn step(&self, step: SyncStep) {
        {
            let mut inner = self.inner();
            inner.step = step;
            inner.gathered = Gathered::default();
            inner.heard = Instant::now();
        }
        self.tell();
    }

    /// What the connector is to do next, once it is something, within the time.
    pub async fn next_step(&self, wait: Duration) -> SyncStep {
        let until = Instant::now() + wait;
        let mut news = self.news.subscribe();
        loop {
            news.mark_unchanged();
            let step = {
                let mut inner = self.inner();
                inner.heard = Instant::now();
                inner.step.clone()
            };
            if step != SyncStep::Wait || Instant::now() >= until {
                return step;
            }
            // The run's end also ends the wait.
            if tokio::time::timeout_at(until, news.changed()).await.is_err() {
                return SyncStep::Wait;
            }
        }
    }

    /// Takes in what the connector says.
    ///
    /// # Errors
    /// It was not asked for, or is too much.
    pub fn take_in(&self, intake: Intake) -> Result<(), SyncError> {
        let what = intake.what();
        let mut inner = self.inner();
        inner.heard = Instant::now();
        let Inner { step, gathered, view, .. } = &mut *inner;
        match (intake, &*step) {
            (Intake::Listing(part), SyncStep::List) => {
                if gathered.is_next(part.part) {
                    gathered.entries.extend(part.entries);
                    gathered.gone.extend(part.gone);
                    view.done = count(gathered.entries.len() + gathered.gone.len());
                }
            }
            (Intake::Present(part), SyncStep::Present) => {
                if gathered.is_next(part.part) {
                    gathered.present.extend(part.entries);
                    view.done = count(gathered.present.len());
                }
            }
            // The step is over: asked again, the connector is not to begin it anew.
            (Intake::ListingEnd(end), SyncStep::List) => {
                gathered.listing_end = Some(end);
                *step = SyncStep::Wait;
            }
            (Intake::PresentEnd(end), SyncStep::Present) => {
                gathered.present_end = Some(end);
                *step = SyncStep::Wait;
            }
            (Intake::Results(results), SyncStep::Apply { page, .. }) if results.page == *page => {
                gathered.results = Some(results);
                *step = SyncStep::Wait;
            }
            _ => {
                let (connector, run) = (self.connector.clone(), self.id);
                return Err(SyncError::NotNow { connector, run, what });
            }
        }
        let most = gathered.entries.len().max(gathered.gone.len()).max(gathered.present.len());
        drop(inner);
        self.tell();
        if most > MAX_ENTRIES {
            return Err(SyncError::TooLarge { what, limit: MAX_ENTRIES });
        }
        Ok(())
    }

    /// The listing, once its end came.
    pub fn listing(&self) -> Option<Listing> {
        let gathered = &mut self.inner().gathered;
        let end = gathered.listing_end.take()?;
        Some(Listing {
            kind: end.kind,
            complete: end.complete,
            announced: end.announced,
            entries: std::mem::take(&mut gathered.entries),
            gone: std::mem::take(&mut gathered.gone),
        })
    }

    /// What is present, once its end came.
    pub fn present(&self) -> Option<Present> {
        let gathered = &mut self.inner().gathered;
        let end = gathered.present_end.take()?;
        let entries = std::mem::take(&mut gathered.present);
        Some(Present { complete: end.complete, announced: end.announced, entries })
    }

    /// Results of a page, once they came.
    pub fn results(&self) -> Option<ChangeResults> {
        self.inner().gathered.results.take()
    }

    /// Whether more entries came than a run may hold.
    pub fn is_too_large(&self) -> bool {
        let gathered = &self.inner().gathered;
        gathered.entries.len().max(gathered.present.len()) > MAX_ENTRIES
    }

    /// When the connector was last heard of.
    pub fn heard(&self) -> Instant {
        self.inner().heard
    }

    /// Tells of everything that changes.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }
}

impl Gathered {
    /// Whether a part is the next one; one that came already is left out.
    fn is_next(&mut self, part: u64) -> bool {
        let next = part == self.part + 1;
        self.part += u64::from(next);
        next
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// All runs that are under way, and the last one of each connector.
pub(crate) struct Runs {
    places: Mutex<HashMap<String, Arc<Run>>>,
    /// Held while it is looked whether a run is under way and one is begun.
    pub beginning: tokio::sync::Mutex<()>,
    pub patience: Mutex<Duration>,
    /// Cancelled when the core stops.
    pub stop: CancellationToken,
}

impl Default for Runs {
    fn default() -> Self {
        Self {
            places: Mutex::default(),
            beginning: tokio::sync::Mutex::new(()),
            patience: Mutex::new(PATIENCE),
            stop: CancellationToken::new(),
        }
    }
}

impl Runs {
    fn places(&self) -> MutexGuard<'_, HashMap<String, Arc<Run>>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The run of a connector that is under way, or was the last one.
    pub fn last(&self, connector: &str) -> Option<Arc<Run>> {
        self.places().get(connector).cloned()
    }

    /// The run that is under way.
    pub fn current(&self, connector: &str) -> Option<Arc<Run>> {
        self.last(connector).filter(|run| run.view().state == SyncState::Running)
    }

    /// A run of this number that is under way.
    pub fn of(&self, connector: &str, run: u64) -> Result<Arc<Run>, SyncError> {
        let found = self.current(connector).filter(|found| found.id == run);
        found.ok_or_else(|| SyncError::NoRun { connector: connector.to_owned(), run })
    }

    pub fn put(&self, run: Arc<Run>) {
        self.places().insert(run.connector.clone(), run);
    }

    pub fn patience(&self) -> Duration {
        *self.patience.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
