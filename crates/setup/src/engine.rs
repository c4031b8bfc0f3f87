//! The engine: carries plans out by the journal, and brings runs that were cut
//! off to one of their two ends.

use crate::error::{Result, SetupError};
use crate::host::Host;
use crate::journal::{self, Journal, Line, Unfinished};
use crate::lock::Lock;
use crate::plan::Plan;
use crate::step::{Before, Bench, Step};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What happens while a plan is carried out, for whoever watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News<'a> {
    /// A step begins.
    Step {
        /// Its place, from 1.
        number: usize,
        /// Of how many.
        of: usize,
        /// What it does.
        what: &'a str,
    },
    /// A step is undone.
    Undoing {
        /// What it did.
        what: &'a str,
    },
    /// A run that was cut off earlier is being finished or undone.
    Recovering {
        /// What was asked for then.
        verb: &'a str,
        /// Whether it is finished; else it is undone.
        forward: bool,
    },
}

/// Watches a run.
pub type Watch<'a> = &'a mut dyn FnMut(News<'_>);

/// What became of a run that was cut off earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// What was asked for then.
    pub verb: String,
    /// Whether it was finished; else it was undone.
    pub finished: bool,
}

/// A held lock and a root without unfinished runs: what changing needs.
pub struct Session<'a> {
    host: &'a Host,
    release: String,
    _lock: Lock,
    /// What was brought to an end when the session began.
    pub recovered: Option<Recovered>,
}

impl<'a> Session<'a> {
    /// Takes the lock (the root and Setup's directory are made if need be) and
    /// brings a run that was cut off to its end.
    pub fn begin(host: &'a Host, verb: &str, release: &str, watch: Watch<'_>) -> Result<Self> {
        host.make_setup()?;
        let mut lock = Lock::take(&host.layout, verb, host.now())?;
        let recovered = recover(host, watch)?;
        if !host.layout.lock().exists() {
            // The run that was cut off has removed everything, lock included.
            host.make_setup()?;
            lock = Lock::take(&host.layout, verb, host.now())?;
        }
        for worthless in worthless(host) {
            host.remove_tree(&worthless)?;
        }
        Ok(Self { host, release: release.to_owned(), _lock: lock, recovered })
    }

    /// Ends the session. Where nothing is installed, nothing is left behind.
    pub fn close(self) -> Result<()> {
        // A run that could not be undone goes on from what it staged.
        if self.host.layout.journal().exists() {
            return Ok(());
        }
        self.host.remove_tree(&self.host.layout.staging())?;
        self.host.remove_empty_root()
    }

    /// Carries a plan out. Either all of it is done, or nothing.
    pub fn carry_out(&self, plan: &Plan, watch: Watch<'_>) -> Result<()> {
        if plan.steps.is_empty() {
            return Ok(());
        }
        if let Some(bad) = plan.steps.iter().take(plan.commit_after).find(|s| !s.is_reversible()) {
            let cause = format!("'{}' cannot be undone and stands before the commit", bad.say());
            return Err(SetupError::invalid(plan.verb.as_str(), cause));
        }
        let run = uuid::Uuid::now_v7().to_string();
        let begin = journal::begin_line(
            self.host,
            &run,
            &plan.verb,
            &self.release,
            plan.commit_after,
            plan.steps.clone(),
        );
        self.host.make_directories(&self.host.layout.scratch(&run), 0o700)?;
        let journal = Journal::begin(self.host, &begin)?;
        let mut work = Work {
            host: self.host,
            journal,
            verb: plan.verb.clone(),
            scratch: self.host.layout.scratch(&run),
            run,
            steps: plan.steps.clone(),
            commit_after: plan.commit_after,
            begun: BTreeMap::new(),
        };
        match work.forward(0, watch) {
            Ok(()) => {}
            Err(cause) if cause.is_killed() => return Err(cause),
            Err(cause) => return Err(work.back(cause, watch)),
        }
        if let Err(cause) = work.commit().and_then(|()| work.tidy(watch)) {
            return Err(not_tidied(&plan.verb, cause));
        }
        work.end("done").map_err(|cause| not_tidied(&plan.verb, cause))
    }
}

fn not_tidied(verb: &str, cause: SetupError) -> SetupError {
    if cause.is_killed() {
        return cause;
    }
    SetupError::NotTidied { verb: verb.to_owned(), cause: Box::new(cause) }
}

/// A run under way.
struct Work<'a> {
    host: &'a Host,
    journal: Journal,
    verb: String,
    scratch: PathBuf,
    run: String,
    steps: Vec<Step>,
    commit_after: usize,
    begun: BTreeMap<usize, Before>,
}

impl Work<'_> {
    fn bench(&self, number: usize) -> Bench<'_> {
        Bench { host: self.host, scratch: &self.scratch, number }
    }

    /// Does the steps in front of the commit.
    fn forward(&mut self, from: usize, watch: Watch<'_>) -> Result<()> {
        for number in from..self.commit_after.min(self.steps.len()) {
            self.one(number, watch)?;
        }
        Ok(())
    }

    fn one(&mut self, number: usize, watch: Watch<'_>) -> Result<()> {
        let Some(step) = self.steps.get(number).cloned() else { return Ok(()) };
        watch(News::Step { number: number + 1, of: self.steps.len(), what: &step.say() });
        if !self.begun.contains_key(&number) {
            let before = step.look(&self.bench(number))?;
            let intent = Line::Intent { step: number, before: before.clone() };
            self.journal.write(self.host, &intent)?;
            self.begun.insert(number, before);
        }
        step.perform(&self.bench(number))?;
        self.journal.write(self.host, &Line::Done { step: number })
    }

    fn commit(&mut self) -> Result<()> {
        self.journal.write(self.host, &Line::Commit)
    }

    /// Does the steps behind the commit.
    fn tidy(&mut self, watch: Watch<'_>) -> Result<()> {
        for number in self.commit_after..self.steps.len() {
            self.one(number, watch)?;
        }
        Ok(())
    }

    /// Undoes what was begun, newest first.
    fn undo(&mut self, watch: Watch<'_>) -> Result<()> {
        while let Some((number, before)) = self.begun.pop_last() {
            let Some(step) = self.steps.get(number) else { continue };
            watch(News::Undoing { what: &step.say() });
            step.undo(&self.bench(number), &before)?;
            self.journal.write(self.host, &Line::Undone { step: number })?;
        }
        Ok(())
    }

    fn back(mut self, cause: SetupError, watch: Watch<'_>) -> SetupError {
        let verb = self.verb.clone();
        match self.undo(watch) {
            Ok(()) => match self.end("undone") {
                Ok(()) => SetupError::Undone { verb, cause: Box::new(cause) },
                Err(then) => {
                    SetupError::HalfUndone { verb, cause: Box::new(cause), then: Box::new(then) }
                }
            },
            Err(then) => {
                SetupError::HalfUndone { verb, cause: Box::new(cause), then: Box::new(then) }
            }
        }
    }

    /// Ends the run. One that removed Setup itself has nothing left to end.
    fn end(self, outcome: &str) -> Result<()> {
        if !self.host.layout.journal().exists() {
            return self.host.remove_empty_root();
        }
        let scratch = self.scratch;
        self.journal.end(self.host, &self.run, outcome)?;
        self.host.remove_tree(&scratch)?;
        self.host.remove_directory(&self.host.layout.scratches())
    }
}

/// What a run leaves behind that was cut off where no journal knows of it.
fn worthless(host: &Host) -> [PathBuf; 6] {
    let layout = &host.layout;
    let draft = layout.journal().with_extension("draft");
    // Its links keep what compaction removes.
    let backup = crate::backup::store_draft(layout);
    let note = layout.setup().join(".last-backup.concord-draft");
    [draft, layout.staging(), layout.scratches(), layout.trash(), backup, note]
}

/// Brings a run that was cut off to its end if there is one, and takes away what
/// a run left that was cut off before it began or after it ended. Every verb
/// begins with it, also those that only look.
pub fn settle(host: &Host, release: &str, watch: Watch<'_>) -> Result<Option<Recovered>> {
    let layout = &host.layout;
    let shell = layout.setup().exists() && !layout.registry().exists();
    // A backup that is under way takes its time; whoever only looks need not wait.
    let busy = Lock::holder(&layout.lock()).is_some();
    let backup = crate::backup::store_draft(layout);
    let left = worthless(host).iter().any(|path| path.exists() && !(busy && *path == backup));
    if !shell && !left && !layout.journal().exists() && !layout.draft().exists() {
        return Ok(None);
    }
    let mut session = Session::begin(host, "setup settle", release, watch)?;
    let recovered = session.recovered.take();
    session.close()?;
    Ok(recovered)
}

/// Whether somebody is exchanging the program right now, forward or back: an
/// update, a rollback, or whoever undoes one that was cut off, whatever verb that
/// is. The controller that he lets start must not wait for his lock.
pub fn is_exchanging(host: &Host) -> bool {
    let exchange = |verb: &str| verb == "update apply" || verb == "rollback";
    Lock::holder(&host.layout.lock()).is_some()
        && matches!(journal::unfinished(&host.layout.journal()), Ok(Some(run)) if exchange(&run.verb))
}

/// Brings a run that was cut off to its end. The caller holds the lock.
pub(crate) fn recover(host: &Host, watch: Watch<'_>) -> Result<Option<Recovered>> {
    let Some(found) = journal::unfinished(&host.layout.journal())? else { return Ok(None) };
    let Unfinished { run, verb, commit_after, steps, begun, committed, done, .. } = found;
    watch(News::Recovering { verb: &verb, forward: committed });
    host.make_directories(&host.layout.scratch(&run), 0o700)?;
    let mut work = Work {
        host,
        journal: Journal::go_on(host)?,
        verb: verb.clone(),
        scratch: host.layout.scratch(&run),
        run,
        steps,
        commit_after,
        begun,
    };
    if committed {
        for number in commit_after..work.steps.len() {
            if !done.contains(&number) {
                work.one(number, watch)?;
            }
        }
        work.end("done")?;
    } else {
        work.undo(watch)?;
        work.end("undone")?;
    }
    Ok(Some(Recovered { verb, finished: committed }))
}

impl Host {
    /// Removes what was staged and is not needed any more.
    pub fn remove_staging(&self) -> Result<()> {
        self.remove_tree(&self.layout.staging())
    }

    /// Makes Setup's directory, and the root with it if there is none, in one step.
    fn make_setup(&self) -> Result<()> {
        let (root, setup, draft) =
            (self.layout.root().path(), self.layout.setup(), self.layout.draft());
        self.remove_tree(&draft)?;
        if root.exists() {
            return self.make_directory(&setup, 0o700);
        }
        self.make_directories(&draft, 0o700)?;
        self.make_directory(&draft.join(crate::layout::SETUP), 0o700)?;
        self.move_path(&draft, root)
    }

    /// Removes Setup's directory and the root if nothing else is in them: what
    /// a run leaves that was cut off before it began or after it ended.
    pub(crate) fn remove_empty_root(&self) -> Result<()> {
        let (root, setup, draft) =
            (self.layout.root().path(), self.layout.setup(), self.layout.draft());
        let lock = self.layout.lock();
        let history = self.layout.history();
        let only = |path: &Path, names: [&PathBuf; 2]| {
            crate::survey::entries(path).iter().all(|entry| names.contains(&entry))
        };
        if self.layout.registry().exists() || !only(&setup, [&lock, &history]) {
            return Ok(());
        }
        // The story of an installation that came to nothing.
        self.remove_tree(&history)?;
        if !only(root, [&setup, &setup]) {
            self.remove_file(&lock)?;
            return self.remove_directory(&setup);
        }
        // In one step, so that no empty root is left that nobody knows whose it is.
        match self.move_path(root, &draft) {
            Ok(()) => self.remove_tree(&draft),
            Err(error) if error.is_killed() => Err(error),
            // A volume is mounted there: the directory is not ours.
            Err(_) => {
                self.remove_file(&lock)?;
                self.remove_directory(&setup)
            }
        }
    }
}
