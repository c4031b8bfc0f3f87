//! The policy in force: read again when the file has changed.

use crate::error::PolicyError;
use crate::policy::{MAX_FILE, Policy};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How often the file is looked at, at most: so long a change may take.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What tells one state of the file from another. Editors replace files, so
/// the inode counts too.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    octets: u64,
    inode: u64,
}

#[derive(Debug)]
struct Kept {
    policy: Arc<Policy>,
    stamp: Option<Stamp>,
    looked: Instant,
    problem: Option<PolicyError>,
    generation: u64,
}

/// The policy of a file; a missing one is an empty one.
#[derive(Debug)]
pub struct Live {
    file: PathBuf,
    kept: Mutex<Kept>,
}

impl Live {
    /// Reads the file for the first time.
    ///
    /// # Errors
    /// [`PolicyError`]: there is no earlier state that could stay in force.
    pub fn open(file: impl Into<PathBuf>) -> Result<Self, PolicyError> {
        let file = file.into();
        let stamp = stamp(&file);
        let policy = Arc::new(read(&file)?);
        let looked = Instant::now();
        let kept = Kept { policy, stamp, looked, problem: None, generation: 1 };
        Ok(Self { file, kept: Mutex::new(kept) })
    }

    /// A policy that no file says.
    pub fn fixed(policy: Policy) -> Self {
        let kept = Kept {
            policy: Arc::new(policy),
            stamp: None,
            looked: Instant::now(),
            problem: None,
            generation: 1,
        };
        Self { file: PathBuf::new(), kept: Mutex::new(kept) }
    }

    /// The policy in force now. Looks at the file at most once a second.
    pub fn current(&self) -> Arc<Policy> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.looked.elapsed() >= LOOK_EVERY && !self.file.as_os_str().is_empty() {
            self.look(&mut kept);
        }
        Arc::clone(&kept.policy)
    }

    /// The same, with a number that grows with every new state.
    pub fn with_generation(&self) -> (Arc<Policy>, u64) {
        let policy = self.current();
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        (policy, kept.generation)
    }

    /// Why the file's newest state is not in force.
    pub fn problem(&self) -> Option<PolicyError> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).problem.clone()
    }

    fn look(&self, kept: &mut Kept) {
        kept.looked = Instant::now();
        let now = stamp(&self.file);
        if now == kept.stamp {
            return;
        }
        kept.stamp = now;
        match read(&self.file) {
            Ok(policy) => {
                kept.problem = None;
                if *kept.policy != policy {
                    tracing::info!(file = %self.file.display(), "the policy has changed");
                    kept.policy = Arc::new(policy);
                    kept.generation = kept.generation.saturating_add(1);
                }
            }
            Err(error) => {
                tracing::error!(
                    file = %self.file.display(), %error,
                    "the changed policy cannot be used; the one before stays in force"
                );
                kept.problem = Some(error);
            }
        }
    }
}

fn stamp(file: &Path) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt;
    let facts = std::fs::metadata(file).ok()?;
    Some(Stamp { modified: facts.modified().ok(), octets: facts.len(), inode: facts.ino() })
}

fn read(file: &Path) -> Result<Policy, PolicyError> {
    let unreadable = |cause: std::io::Error| PolicyError::Unreadable {
        file: file.to_owned(),
        cause: cause.to_string(),
    };
    match std::fs::metadata(file) {
        Ok(facts) if facts.len() > MAX_FILE => return Err(PolicyError::TooLarge),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Policy::default()),
        Err(error) => return Err(unreadable(error)),
    }
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    Policy::parse(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_takes_effect_and_a_mistake_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("internet-mail.toml");
        let live = Live::open(&file).unwrap();
        assert!(live.current().hosts.is_empty());
        std::fs::write(&file, "[[host]]\nnetwork = '192.0.2.1'\naction = 'reject'\n").unwrap();
        let wait = || std::thread::sleep(LOOK_EVERY + Duration::from_millis(50));
        wait();
        assert_eq!(live.with_generation().0.hosts.len(), 1);
        std::fs::write(&file, "[[host]]\nnetwork = 'nonsense'\n").unwrap();
        wait();
        assert_eq!(live.current().hosts.len(), 1);
        assert!(live.problem().unwrap().to_string().contains("nonsense"));
        std::fs::write(&file, "").unwrap();
        wait();
        assert!(live.current().hosts.is_empty());
        assert_eq!(live.problem(), None);
    }

    #[test]
    fn a_mistake_at_the_start_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("internet-mail.toml");
        std::fs::write(&file, "[relay]\nallow = 3\n").unwrap();
        assert!(Live::open(&file).is_err());
    }
}
