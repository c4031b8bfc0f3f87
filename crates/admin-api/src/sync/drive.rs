//! A run from its beginning to its end.

use super::error::SyncError;
use super::run::{Run, Runs};
use super::settings::{Around, Compiled, compile};
use super::{export, history, import};
use crate::api::Shared;
use crate::wire::{SyncBegun, SyncCounts, SyncFailure, SyncOptions, SyncRun, SyncState};
use crate::{find, view};
use concord_base::{Fault, Timestamp};
use concord_connector::wire::{
    ForeignUpdates, MAX_ENTRIES_IN_PART, SyncStep, Synchronise, UpdatesDone, Work, WorkDone,
};
use concord_directory::{DirectoryError, Kind};
use concord_dirsync::{Listing, ListingKind};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// What a connector gets to hear the end of a run before it is forgotten.
const FAREWELL: Duration = Duration::from_secs(5);

/// Who asked for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AskedBy {
    Administrator,
    Schedule,
    ForeignSide,
}

impl AskedBy {
    fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Schedule => "schedule",
            Self::ForeignSide => "foreign-side",
        }
    }
}

/// Begins a run, or joins the one that is under way (Q199176); does not wait for
/// its end.
///
/// # Errors
/// The connector cannot synchronise, or its settings have mistakes.
pub(crate) async fn begin(
    shared: &Arc<Shared>,
    connector: &str,
    options: SyncOptions,
    asked_by: AskedBy,
) -> Result<SyncBegun, SyncError> {
    let _one = shared.runs.beginning.lock().await;
    if let Some(run) = shared.runs.current(connector) {
        return Ok(SyncBegun { joined: true, run: run.view() });
    }
    let (compiled, options) = compiled(shared, connector, options).await?;
    let run = start(shared, connector, options, asked_by).await?;
    let view = run.view();
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let began = shared.api.clock.now();
        let outcome = drive(&shared, &run, &compiled).await;
        end(&shared, &run, began, outcome).await;
    });
    Ok(SyncBegun { joined: false, run: view })
}

/// Takes in what the foreign side told unasked, as a run of its own (Q229821).
///
/// # Errors
/// Another run is under way, or what was told cannot be taken in.
pub(crate) async fn updates(
    shared: &Arc<Shared>,
    connector: &str,
    updates: ForeignUpdates,
) -> Result<UpdatesDone, SyncError> {
    if updates.entries.len() + updates.gone.len() > MAX_ENTRIES_IN_PART {
        return Err(SyncError::TooLarge { what: "the update", limit: MAX_ENTRIES_IN_PART });
    }
    let one = shared.runs.beginning.lock().await;
    if let Some(run) = shared.runs.current(connector) {
        return Err(SyncError::Busy { connector: connector.to_owned(), run: run.id });
    }
    let options = SyncOptions { import: true, ..SyncOptions::default() };
    let (compiled, _) = compiled(shared, connector, options).await?;
    let run = start(shared, connector, options, AskedBy::ForeignSide).await?;
    drop(one);
    let listing = Listing {
        kind: ListingKind::Updates,
        complete: true,
        announced: None,
        entries: updates.entries,
        gone: updates.gone,
    };
    // Goes on if the connector hangs up.
    let (shared, taken) = (Arc::clone(shared), Arc::clone(&run));
    let work = tokio::spawn(async move {
        let began = shared.api.clock.now();
        let outcome = import::import(&shared, &taken, &compiled, listing).await;
        end(&shared, &taken, began, outcome.clone()).await;
        outcome
    });
    work.await.map_err(|_| SyncError::Stopped)??;
    let counts = run.view().import.unwrap_or_default();
    Ok(UpdatesDone { run: run.id, changed: counts.changes(), failed: counts.failed })
}

/// A connector's settings, compiled, and the options with the directions that
/// are on.
async fn compiled(
    shared: &Shared,
    name: &str,
    options: SyncOptions,
) -> Result<(Arc<Compiled>, SyncOptions), SyncError> {
    let directory = &*shared.api.directory;
    let object = directory.find(Kind::Connector, name).await?;
    let Some(connector) = object.as_ref().and_then(|object| object.connector()) else {
        return Err(DirectoryError::NotFound { kind: "connector", name: name.to_owned() }.into());
    };
    let around = Around::read(directory).await?;
    let compiled = compile(name, connector, &around, &options)?;
    let all = !options.import && !options.export;
    let options = SyncOptions {
        import: options.import || all && compiled.imports,
        export: options.export || all && compiled.exports,
        ..options
    };
    Ok((Arc::new(compiled), options))
}

/// Makes a run known, and keeps that it was begun: one that the core did not live
/// to end is seen as such.
async fn start(
    shared: &Shared,
    connector: &str,
    options: SyncOptions,
    asked_by: AskedBy,
) -> Result<Arc<Run>, SyncError> {
    let last = history::read(shared, connector).await?.first().map_or(0, |run| run.id);
    let view = SyncRun {
        id: last + 1,
        asked_by: asked_by.as_str().to_owned(),
        options,
        phase: "beginning".to_owned(),
        started: view::time(shared.api.clock.now()),
        ..SyncRun::default()
    };
    let run = Arc::new(Run::new(connector, view.clone()));
    // Known before it is kept: what is kept and not known was cut off.
    shared.runs.put(Arc::clone(&run));
    if let Err(error) = history::keep(shared, connector, view).await {
        run.show(|view| view.state = SyncState::Failed);
        return Err(error);
    }
    Ok(run)
}

/// The run is over, one way or the other.
async fn end(shared: &Shared, run: &Run, began: Timestamp, outcome: Result<(), SyncError>) {
    let now = shared.api.clock.now();
    let mut view = run.view();
    view.ended = Some(view::time(now));
    view.milliseconds = u64::try_from(now.since(began).as_millis()).unwrap_or(u64::MAX);
    view.state = SyncState::Done;
    if let Err(error) = &outcome {
        view.state = SyncState::Failed;
        view.failure =
            Some(SyncFailure { code: error.code().to_owned(), message: error.to_string() });
    }
    let changed = |counts: &Option<SyncCounts>| counts.as_ref().map_or(0, SyncCounts::changes);
    match &outcome {
        Ok(()) => tracing::info!(
            connector = run.connector,
            run = run.id,
            imported = changed(&view.import),
            exported = changed(&view.export),
            milliseconds = view.milliseconds,
            "directories were synchronised"
        ),
        Err(error) => tracing::warn!(
            connector = run.connector,
            run = run.id,
            code = error.code(),
            %error,
            "directories were not synchronised"
        ),
    }
    if let Err(error) = &outcome
        && view.asked_by == AskedBy::Schedule.as_str()
    {
        let text = format!("run {} ended early: {error}", run.id);
        import::leave(shared, run, error.code(), text).await;
    }
    if let Err(error) = history::keep(shared, &run.connector, view.clone()).await {
        tracing::warn!(connector = run.connector, %error, "what became of a run was not kept");
    }
    run.show(|shown| *shown = view);
    run.step(SyncStep::Done);
}

/// The conversation with the connector of a run.
pub(super) struct Talk<'a> {
    runs: &'a Runs,
    run: &'a Run,
    done: oneshot::Receiver<WorkDone>,
}

impl Talk<'_> {
    /// Waits until the connector has said something.
    ///
    /// # Errors
    /// It gives no sign of life, or has given up.
    pub async fn until<T>(&mut self, take: impl Fn(&Run) -> Option<T>) -> Result<T, SyncError> {
        let patience = self.runs.patience();
        let mut news = self.run.news();
        loop {
            news.mark_unchanged();
            if let Some(said) = take(self.run) {
                return Ok(said);
            }
            if self.run.is_too_large() {
                let limit = concord_connector::wire::MAX_ENTRIES;
                return Err(SyncError::TooLarge { what: "the listing", limit });
            }
            let silent_at = self.run.heard() + patience;
            let connector = || self.run.connector.clone();
            tokio::select! {
                _ = news.changed() => {}
                done = &mut self.done => {
                    let cause = done.ok().and_then(|done| done.error);
                    let cause = cause.unwrap_or_else(|| "it ended its part early".to_owned());
                    return Err(SyncError::Connector { connector: connector(), cause });
                }
                () = self.runs.stop.cancelled() => return Err(SyncError::Stopped),
                () = tokio::time::sleep_until(silent_at) => {
                    if self.run.heard() + patience <= tokio::time::Instant::now() {
                        let seconds = patience.as_secs();
                        return Err(SyncError::Silent { connector: connector(), seconds });
                    }
                }
            }
        }
    }
}

async fn drive(
    shared: &Arc<Shared>,
    run: &Arc<Run>,
    compiled: &Arc<Compiled>,
) -> Result<(), SyncError> {
    let SyncOptions { import, export, full, dry_run, .. } = run.options;
    let ask = Synchronise { run: run.id, import, export, full, dry_run };
    run.step(if import { SyncStep::List } else { SyncStep::Wait });
    run.phase("waiting for the connector", 0);
    let asked = shared.board.ask(&run.connector, Work::Synchronise(ask));
    let (_, done) = asked.ok_or_else(|| SyncError::Silent {
        connector: run.connector.clone(),
        seconds: shared.runs.patience().as_secs(),
    })?;
    let mut talk = Talk { runs: &shared.runs, run, done };
    if import {
        run.phase("listing the foreign directory", 0);
        let listing = talk.until(Run::listing).await?;
        run.step(SyncStep::Wait);
        import::import(shared, run, compiled, listing).await?;
    }
    if export {
        export::export(shared, run, &mut talk, compiled).await?;
    }
    // So that the board knows whose answer it is when it comes.
    let done = talk.done;
    tokio::spawn(async move { drop(tokio::time::timeout(FAREWELL, done).await) });
    Ok(())
}

/// The name of the connector that a text means.
pub(crate) async fn name_of(shared: &Shared, text: &str) -> Result<String, crate::ApiError> {
    Ok(find::object(shared, Kind::Connector, text).await?.name.clone())
}
