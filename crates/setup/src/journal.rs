//! The journal: what a run is about to do, before it does it.
//!
//! A file of lines, each a CRC-32C of what follows and a JSON value, synced.
//! [`Line::Begin`] has every step of the run; each step has an
//! [`Line::Intent`] with what it needs to be undone, and a [`Line::Done`].
//! Before [`Line::Commit`] a run that was cut off is undone, behind it
//! finished. A run that ended has no journal: it was renamed into the history.

use crate::error::{Result, SetupError};
use crate::host::Host;
use crate::step::{Before, Step};
use concord_base::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The form of the lines; a journal of another form is left to its release.
const FORM: u32 = 1;
/// A plan has some hundred steps; a larger journal is some other file.
const MAX_OCTETS: u64 = 64 << 20;
/// Journals of ended runs that are kept, for those who ask what was repaired.
const KEEP: usize = 50;

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case")]
pub enum Line {
    /// The run begins.
    Begin {
        /// Of this file.
        form: u32,
        /// The run's id.
        run: String,
        /// What was asked for.
        verb: String,
        /// The version that runs it.
        release: String,
        /// When.
        at: Timestamp,
        /// How many steps are undone if the run is cut off among them.
        commit_after: usize,
        /// Every step.
        steps: Vec<Step>,
    },
    /// A step is about to be done.
    Intent {
        /// Its place in the plan.
        step: usize,
        /// What was there.
        before: Before,
    },
    /// A step is done.
    Done {
        /// Its place in the plan.
        step: usize,
    },
    /// A step is undone. A run whose undoing is cut off goes on behind it: undoing
    /// twice what others undid since would undo those.
    Undone {
        /// Its place in the plan.
        step: usize,
    },
    /// From here on there is no way back.
    Commit,
    /// How it ended; the last line.
    End {
        /// `done` or `undone`.
        outcome: String,
        /// When.
        at: Timestamp,
    },
}

/// A run that did not end, as its journal tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// Its id.
    pub run: String,
    /// What was asked for.
    pub verb: String,
    /// The version that ran it.
    pub release: String,
    /// When it began.
    pub at: Timestamp,
    /// Steps in front of the point of no return.
    pub commit_after: usize,
    /// Every step.
    pub steps: Vec<Step>,
    /// What was there before each step that was begun and is not undone.
    pub begun: BTreeMap<usize, Before>,
    /// Whether the point of no return was passed.
    pub committed: bool,
    /// Steps that are done.
    pub done: Vec<usize>,
}

/// The journal of a run that is under way.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
}

fn encode(line: &Line) -> Vec<u8> {
    let json = serde_json::to_vec(line).unwrap_or_default();
    let mut octets = format!("{:08x} ", crc32c::crc32c(&json)).into_bytes();
    octets.extend(json);
    octets.push(b'\n');
    octets
}

fn decode(line: &[u8]) -> Option<Line> {
    let (crc, json) = line.split_at_checked(9)?;
    let crc = u32::from_str_radix(std::str::from_utf8(crc).ok()?.trim_end(), 16).ok()?;
    if crc != crc32c::crc32c(json) {
        return None;
    }
    serde_json::from_slice(json).ok()
}

impl Journal {
    /// Begins a journal. It must not exist.
    pub fn begin(host: &Host, begin: &Line) -> Result<Self> {
        let path = host.layout.journal();
        let draft = path.with_extension("draft");
        // The whole first line or none: a torn one would be a run without steps.
        host.effect("begin the journal", &draft, || {
            let mut file = OpenOptions::new()
                .create(true)
                .truncate(true)
                .write(true)
                .mode(0o600)
                .open(&draft)?;
            file.write_all(&encode(begin))?;
            file.sync_all()
        })?;
        host.effect("begin the journal", &path, || {
            std::fs::rename(&draft, &path)?;
            sync_directory(&path)
        })?;
        Self::go_on(host)
    }

    /// Goes on with the journal that is there. A torn last line is cut off:
    /// what follows must stand on a line of its own.
    pub fn go_on(host: &Host) -> Result<Self> {
        let path = host.layout.journal();
        let octets = std::fs::read(&path).map_err(SetupError::io("read", &path))?;
        let whole = octets.iter().rposition(|o| *o == b'\n').map_or(0, |at| at + 1);
        let open = || {
            let file = OpenOptions::new().append(true).open(&path)?;
            file.set_len(u64::try_from(whole).unwrap_or(0))?;
            Ok(file)
        };
        let file = open().map_err(SetupError::io("open", &path))?;
        Ok(Self { path, file })
    }

    /// Adds a line; durable when it returns.
    pub fn write(&mut self, host: &Host, line: &Line) -> Result<()> {
        let octets = encode(line);
        let (path, file) = (&self.path, &mut self.file);
        host.effect("write to the journal", path, || {
            file.write_all(&octets)?;
            file.sync_data()
        })
    }

    /// Ends the run: from here on there is no journal.
    pub fn end(mut self, host: &Host, run: &str, outcome: &str) -> Result<()> {
        let end = Line::End { outcome: outcome.to_owned(), at: host.now() };
        self.write(host, &end)?;
        let history = host.layout.history();
        host.make_directory(&history, 0o700)?;
        let kept = history.join(format!("{run}.journal"));
        host.move_path(&self.path, &kept)?;
        forget_old(host, &history)
    }
}

fn forget_old(host: &Host, history: &Path) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(history) else { return Ok(()) };
    let mut all: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    // Ids of runs begin with the time.
    all.sort();
    for old in all.iter().take(all.len().saturating_sub(KEEP)) {
        host.remove_file(old)?;
    }
    Ok(())
}

fn sync_directory(path: &Path) -> std::io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}

/// The run that did not end, if there is one.
///
/// # Errors
/// [`SetupError::Journal`] if it is of another form.
pub fn unfinished(path: &Path) -> Result<Option<Unfinished>> {
    match std::fs::metadata(path) {
        Ok(found) if found.len() > MAX_OCTETS => {
            let cause = format!("it is larger than {MAX_OCTETS} octets");
            return Err(SetupError::Journal { path: path.to_owned(), cause });
        }
        Err(_) => return Ok(None),
        Ok(_) => {}
    }
    let octets = std::fs::read(path).map_err(SetupError::io("read", path))?;
    read(&octets).map_err(|cause| SetupError::Journal { path: path.to_owned(), cause })
}

fn read(octets: &[u8]) -> std::result::Result<Option<Unfinished>, String> {
    let mut found: Option<Unfinished> = None;
    for text in octets.split_inclusive(|o| *o == b'\n') {
        // A line without its end was being written when the run was cut off.
        let Some(text) = text.strip_suffix(b"\n") else { break };
        let Some(line) = decode(text) else { break };
        match (line, &mut found) {
            (Line::Begin { form, run, verb, release, at, commit_after, steps }, None) => {
                if form != FORM {
                    return Err(format!("it has form {form}, this release knows {FORM}"));
                }
                found = Some(Unfinished {
                    run,
                    verb,
                    release,
                    at,
                    commit_after,
                    steps,
                    begun: BTreeMap::new(),
                    committed: false,
                    done: Vec::new(),
                });
            }
            (Line::Intent { step, before }, Some(run)) => {
                // The first one knows what was there; a second attempt does not.
                run.begun.entry(step).or_insert(before);
            }
            (Line::Done { step }, Some(run)) => run.done.push(step),
            (Line::Undone { step }, Some(run)) => {
                run.begun.remove(&step);
            }
            (Line::Commit, Some(run)) => run.committed = true,
            // It ended; only the renaming is missing.
            (Line::End { .. }, Some(run)) => {
                run.committed = true;
                run.done = (0..run.steps.len()).collect();
            }
            _ => break,
        }
    }
    match found {
        None if !octets.is_empty() => Err("its first line is damaged".to_owned()),
        other => Ok(other),
    }
}

/// The first line of a run.
pub(crate) fn begin_line(
    host: &Host,
    run: &str,
    verb: &str,
    release: &str,
    commit_after: usize,
    steps: Vec<Step>,
) -> Line {
    Line::Begin {
        form: FORM,
        run: run.to_owned(),
        verb: verb.to_owned(),
        release: release.to_owned(),
        at: host.now(),
        commit_after,
        steps,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Vec<Line> {
        let step = Step::make_directory("/x", 0o700, None);
        vec![
            Line::Begin {
                form: FORM,
                run: "r".into(),
                verb: "install".into(),
                release: "1.0.0".into(),
                at: Timestamp(1),
                commit_after: 1,
                steps: vec![step],
            },
            Line::Intent { step: 0, before: Before::Absent },
            Line::Done { step: 0 },
            Line::Commit,
        ]
    }

    #[test]
    fn a_torn_last_line_is_as_if_never_written() {
        let all: Vec<Vec<u8>> = lines().iter().map(encode).collect();
        let octets = all.concat();
        let first = all[0].len();
        for cut in first..=octets.len() {
            let run = read(&octets[..cut]).unwrap().unwrap();
            let whole = octets[..cut].iter().filter(|o| **o == b'\n').count();
            assert_eq!(run.begun.len(), usize::from(whole >= 2), "cut at {cut}");
            assert_eq!(run.done.len(), usize::from(whole >= 3), "cut at {cut}");
            assert_eq!(run.committed, whole >= 4, "cut at {cut}");
        }
    }

    #[test]
    fn a_flipped_bit_ends_the_journal_there() {
        let octets: Vec<u8> = lines().iter().flat_map(encode).collect();
        let mut bad = octets.clone();
        let last = bad.len() - 3;
        bad[last] ^= 1;
        assert!(!read(&bad).unwrap().unwrap().committed);
        bad[12] ^= 1;
        assert!(read(&bad).is_err(), "without its first line nobody knows what was planned");
    }
}
