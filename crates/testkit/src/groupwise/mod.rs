//! A GroupWise system with an API gateway, for tests.
//!
//! [`GroupWise`] keeps a directory of users, their mailboxes and a gateway's
//! directory tree. A thread polls `API_IN`, does what the files want, and
//! writes answers, status and mail into `API_OUT` and `ATT_OUT` the way
//! gateways do: content first, headers in place, slowly and locked if the
//! [`Knobs`] say so, names of attachments as their senders chose them.
//!
//! It reads files with a strict reader of its own, so that what it takes is
//! what the rules allow and not what Concord's reader tolerates. What a gateway
//! is known to refuse goes to `GWPROB` with its complaints. Any file in
//! `API_IN` is taken, whatever its name: who writes there in place loses.
//!
//! Not known of the original and chosen: the words of status reports, the
//! reason in them, that a status for an unknown id is refused, that an `Add` of
//! an object that exists changes it.
//!
//! Sources: Q254353, Q222506, Q199302, Q222538, Q234585, Q241086, Q214648,
//! Q229821, Q253347, Q201531.

mod compose;
mod directory;
mod gateway;
mod mail;
mod page;
mod settings;
mod state;
mod storm;
mod strict;
mod users;
mod writer;

pub use directory::{GwName, GwObject};
pub use mail::{GwFile, GwMail, GwOutgoing, GwProblem, GwStatus};
pub use page::GatewayPage;
pub use settings::{AddressStyle, GroupWiseSettings, Knobs, NameClash, ShareNames, Slow};
pub use storm::{GroupWiseStorm, StormFigures};

use crate::trouble::Result;
use crate::wait::wait_for;
use gateway::Directories;
use state::State;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// The system; it ends when dropped, its files stay.
#[derive(Debug)]
pub struct GroupWise {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    directories: Directories,
    ending: AtomicBool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }
}

impl GroupWise {
    /// Creates the gateway's directories in `root` and starts it.
    ///
    /// # Errors
    /// The directories cannot be made.
    pub fn start(root: &Path, settings: GroupWiseSettings) -> Result<Self> {
        let pace = settings.pace;
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(settings)),
            directories: Directories::create(root)?,
            ending: AtomicBool::new(false),
        });
        let inside = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("groupwise".into());
        let thread = thread.spawn(move || work(&inside, pace))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// The gateway's directory, with `API_IN` and the others in it.
    pub fn root(&self) -> &Path {
        &self.shared.directories.root
    }

    /// Turns knobs.
    pub fn turn(&self, turn: impl FnOnce(&mut Knobs)) {
        turn(&mut self.shared.lock().knobs);
    }

    /// What the gateway logged.
    pub fn log(&self) -> Vec<String> {
        self.shared.lock().log.clone()
    }

    /// Files that it refused, oldest first.
    pub fn problems(&self) -> Vec<GwProblem> {
        self.shared.lock().problems.clone()
    }

    /// How many files it took and how many it wrote.
    pub fn traffic(&self) -> (usize, usize) {
        let state = self.shared.lock();
        (state.taken, state.written)
    }

    /// Searches that the original gateway would have died of (Q201531).
    pub fn abends(&self) -> usize {
        self.shared.lock().abends
    }

    /// Files in one of its directories, by name.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn files(&self, directory: &str) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(self.root().join(directory))? {
            files.push(entry?.path());
        }
        files.sort();
        Ok(files)
    }

    /// Waits until nothing is left to do: `API_IN` is empty and everything is
    /// written.
    ///
    /// # Errors
    /// The time is over.
    pub fn settle(&self, limit: Duration) -> Result<()> {
        wait_for("the gateway to have nothing to do", limit, || {
            // In this order: what a file brings about waits before it is gone.
            let taken = self.files("API_IN")?.is_empty();
            let state = self.shared.lock();
            Ok((taken && state.outbox.is_empty() && !state.writing).then_some(()))
        })
    }
}

impl Drop for GroupWise {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn work(shared: &Shared, pace: Duration) {
    // Headers that stay empty and locked.
    let mut held: Vec<File> = Vec::new();
    while !shared.ending() {
        let stopped = shared.lock().knobs.stopped;
        let busy = !stopped && (poll(shared) | drain(shared, &mut held));
        if !busy {
            std::thread::sleep(pace);
        }
    }
}

/// Takes every file of `API_IN`. Whether there was one.
fn poll(shared: &Shared) -> bool {
    let Ok(entries) = std::fs::read_dir(shared.directories.root.join("API_IN")) else {
        return false;
    };
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    for name in &names {
        let mut state = shared.lock();
        if state.knobs.stopped || shared.ending() {
            break;
        }
        if let Err(trouble) = gateway::take(&mut state, &shared.directories, name) {
            state.say(format!("Error on {name}: {trouble}"));
        }
    }
    !names.is_empty()
}

/// Writes what waits. Whether there was anything.
fn drain(shared: &Shared, held: &mut Vec<File>) -> bool {
    let mut busy = false;
    loop {
        let (out, plan) = {
            let mut state = shared.lock();
            if state.knobs.stopped || shared.ending() {
                return busy;
            }
            let Some(out) = writer::next(&mut state) else { return busy };
            state.say(format!("Processing outbound message {}", out.name));
            let plan = writer::plan(&mut state, &out);
            state.writing = true;
            (out, plan)
        };
        busy = true;
        let written = writer::write(&shared.directories, &out, &plan, &|| shared.ending());
        let mut state = shared.lock();
        state.writing = false;
        match written {
            Ok(file) => {
                held.extend(file);
                state.written += 1;
            }
            Err(trouble) => state.say(format!("Error on {}: {trouble}", out.name)),
        }
    }
}
