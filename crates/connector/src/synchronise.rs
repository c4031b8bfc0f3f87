//! A connector's part in directory synchronisation.
//!
//! ```text
//! loop {
//!     if let Some(item) = api.work(25).await? {
//!         if let Work::Synchronise(ask) = &item.work {
//!             run_synchronisation(&api, item.id, ask, &mine).await?;
//!         }
//!     }
//! }
//! ```
//!
//! The connector says what is there and does what it is told. What is taken, how
//! attributes are mapped, who is deleted and who is not, is the core's to decide.

use crate::api::{ApiError, CoreApi};
use crate::wire::{
    ChangeResult, ChangeResults, ListingEnd, ListingPart, MAX_ENTRIES_IN_PART, MAX_ENTRY, MAX_PART,
    MAX_WAIT, PresentEnd, PresentPart, SyncChange, SyncStep, Synchronise, WorkDone,
};
use concord_base::{EnhancedStatus, Fault, Retry};
use concord_dirsync::{ForeignEntry, ForeignKey, PresentEntry};
use serde::Serialize;
use std::future::Future;
use std::time::Duration;

/// A foreign system may take an hour for its listing (Q229821); meanwhile the
/// core hears that somebody is there. A quarter of what it bears.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

/// A run could not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SynchroniseError {
    /// The core could not be asked, or refused.
    #[error(transparent)]
    Core(#[from] ApiError),
    /// The foreign system failed as a whole. What befalls single entries is told
    /// with them.
    #[error("{0}")]
    Foreign(String),
}

impl Fault for SynchroniseError {
    fn code(&self) -> &'static str {
        match self {
            Self::Core(error) => error.code(),
            Self::Foreign(_) => "connector.foreign-directory",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Core(error) => error.retry(),
            Self::Foreign(_) => Retry::Temporary,
        }
    }

    fn enhanced_status(&self) -> EnhancedStatus {
        EnhancedStatus::new(4, 3, 2)
    }
}

/// What a connector knows of the foreign directory.
///
/// Every method may take as long as the foreign system does. None of them is
/// called twice at once for one run. A run may end at any moment, and a later
/// one begins from what is there: a connector keeps nothing of a run.
#[async_trait::async_trait]
pub trait Synchronises: Send + Sync {
    /// Gives every entry of the foreign directory to `to`; what was given before
    /// an error is not used. `asked` says whether everything is wanted or only
    /// what changed; a system without changes gives everything. Changes nothing.
    ///
    /// # Errors
    /// The foreign system could not be asked. A listing that broke off is no
    /// error: its end says that it is not complete.
    async fn list(
        &self,
        asked: &Synchronise,
        to: &mut EntrySink<'_>,
    ) -> Result<ListingEnd, SynchroniseError>;

    /// Gives every entry that the foreign directory has in the places of this
    /// organisation to `to`. Changes nothing.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    async fn present(
        &self,
        asked: &Synchronise,
        to: &mut PresentSink<'_>,
    ) -> Result<PresentEnd, SynchroniseError>;

    /// Changes the foreign directory, in order, and says of each change what
    /// became of it. One that fails stops none of the others (Q274786). Never
    /// called in a dry run.
    ///
    /// # Errors
    /// Nothing more can be done at all.
    async fn apply(&self, changes: &[SyncChange]) -> Result<Vec<ChangeResult>, SynchroniseError>;
}

/// Takes the entries of a listing to the core, part by part.
#[derive(Debug)]
pub struct EntrySink<'a> {
    way: Way<'a>,
    part: ListingPart,
}

/// Takes the entries that stand for this organisation's recipients to the core.
#[derive(Debug)]
pub struct PresentSink<'a> {
    way: Way<'a>,
    part: PresentPart,
}

#[derive(Debug)]
struct Way<'a> {
    api: &'a CoreApi,
    path: String,
    /// Octets of the part that is being filled.
    octets: usize,
}

impl Way<'_> {
    /// Whether an entry is the last that fits.
    fn count(&mut self, entry: &impl Serialize) -> Result<usize, SynchroniseError> {
        let octets = serde_json::to_vec(entry).map_err(|e| ApiError::Broken(e.to_string()))?.len();
        if octets > MAX_ENTRY {
            return Err(SynchroniseError::Foreign(format!(
                "an entry has {octets} octets, and {MAX_ENTRY} may take part; leave long \
                 attributes out"
            )));
        }
        Ok(octets)
    }

    async fn post(&mut self, part: &impl Serialize) -> Result<(), SynchroniseError> {
        self.octets = 0;
        Ok(self.api.send(hyper::Method::POST, &self.path, part).await?)
    }
}

impl EntrySink<'_> {
    /// Gives an entry.
    ///
    /// # Errors
    /// The entry is too large, or the core did not take the part.
    pub async fn entry(&mut self, entry: ForeignEntry) -> Result<(), SynchroniseError> {
        let octets = self.way.count(&entry)?;
        self.room(octets).await?;
        self.part.entries.push(entry);
        Ok(())
    }

    /// Says that an entry is gone, where the foreign system tells so.
    ///
    /// # Errors
    /// As [`entry`](Self::entry).
    pub async fn gone(&mut self, key: ForeignKey) -> Result<(), SynchroniseError> {
        let octets = self.way.count(&key)?;
        self.room(octets).await?;
        self.part.gone.push(key);
        Ok(())
    }

    async fn room(&mut self, octets: usize) -> Result<(), SynchroniseError> {
        let held = self.part.entries.len() + self.part.gone.len();
        if held >= MAX_ENTRIES_IN_PART || held > 0 && self.way.octets + octets > MAX_PART {
            self.flush().await?;
        }
        self.way.octets += octets;
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), SynchroniseError> {
        let next = self.part.part + 1;
        let empty = ListingPart { part: next, ..ListingPart::default() };
        let part = std::mem::replace(&mut self.part, empty);
        if part.entries.is_empty() && part.gone.is_empty() {
            return Ok(());
        }
        self.way.post(&part).await
    }
}

impl PresentSink<'_> {
    /// Gives an entry.
    ///
    /// # Errors
    /// The entry is too large, or the core did not take the part.
    pub async fn entry(&mut self, entry: PresentEntry) -> Result<(), SynchroniseError> {
        let octets = self.way.count(&entry)?;
        let held = self.part.entries.len();
        if held >= MAX_ENTRIES_IN_PART || held > 0 && self.way.octets + octets > MAX_PART {
            self.flush().await?;
        }
        self.way.octets += octets;
        self.part.entries.push(entry);
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), SynchroniseError> {
        let empty = PresentPart { part: self.part.part + 1, entries: Vec::new() };
        let part = std::mem::replace(&mut self.part, empty);
        if part.entries.is_empty() {
            return Ok(());
        }
        self.way.post(&part).await
    }
}

/// Carries a connector's part of a run out, to its end. `work` is the number of
/// the piece of work; what became of it is told to the core in any case.
///
/// # Errors
/// Why the run could not go on; the core and the administrator know already.
pub async fn run_synchronisation(
    api: &CoreApi,
    work: u64,
    asked: &Synchronise,
    directory: &impl Synchronises,
) -> Result<(), SynchroniseError> {
    let outcome = steps(api, asked, directory).await;
    let error = outcome.as_ref().err().map(ToString::to_string);
    match api.work_done(work, &WorkDone { error, ..WorkDone::default() }).await {
        // The core has given the run up, or was started anew.
        Ok(()) | Err(ApiError::NotFound(_)) => outcome,
        Err(error) => outcome.and(Err(error.into())),
    }
}

async fn steps(
    api: &CoreApi,
    asked: &Synchronise,
    directory: &impl Synchronises,
) -> Result<(), SynchroniseError> {
    loop {
        match api.sync_step(asked.run, MAX_WAIT).await? {
            SyncStep::Wait => {}
            SyncStep::Done => return Ok(()),
            SyncStep::List => {
                let path = api.own(&format!("/sync/{}/listing", asked.run));
                let mut sink = EntrySink {
                    way: Way { api, path: path.clone(), octets: 0 },
                    part: ListingPart { part: 1, ..ListingPart::default() },
                };
                let end = alive(api, asked.run, directory.list(asked, &mut sink)).await?;
                sink.flush().await?;
                let _: () = api.send(hyper::Method::POST, &format!("{path}/end"), &end).await?;
            }
            SyncStep::Present => {
                let path = api.own(&format!("/sync/{}/present", asked.run));
                let mut sink = PresentSink {
                    way: Way { api, path: path.clone(), octets: 0 },
                    part: PresentPart { part: 1, entries: Vec::new() },
                };
                let end = alive(api, asked.run, directory.present(asked, &mut sink)).await?;
                sink.flush().await?;
                let _: () = api.send(hyper::Method::POST, &format!("{path}/end"), &end).await?;
            }
            SyncStep::Apply { page, changes } => {
                let results = alive(api, asked.run, directory.apply(&changes)).await?;
                let results = ChangeResults { page, results };
                let path = api.own(&format!("/sync/{}/results", asked.run));
                let _: () = api.send(hyper::Method::POST, &path, &results).await?;
            }
        }
    }
}

/// Waits for the foreign system, and lets the core know that somebody does. Ends
/// when the core has given the run up.
async fn alive<T>(
    api: &CoreApi,
    run: u64,
    work: impl Future<Output = Result<T, SynchroniseError>>,
) -> Result<T, SynchroniseError> {
    tokio::pin!(work);
    let mut ticks = tokio::time::interval(SIGN_OF_LIFE);
    ticks.tick().await;
    loop {
        tokio::select! {
            outcome = &mut work => return outcome,
            _ = ticks.tick() => {
                if api.sync_step(run, 0).await? == SyncStep::Done {
                    return Err(ApiError::NotFound(format!("run {run} was given up")).into());
                }
            }
        }
    }
}
