//! The policies that are kept, also over restarts.

use super::fetch::FetchError;
use super::kept::Kept;
use super::policy::StsPolicy;
use crate::limits::{MAX_POLICIES, MAX_POLICY};
use concord_base::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Octets of a file: a policy as a JSON string, where a character may take six.
const MAX_FILE: u64 = 8 * MAX_POLICY as u64;
const SUFFIX: &str = "json";

/// Kept policies, and fetches that failed lately. With a directory each policy
/// is a file of its own there, replaced in one step.
#[derive(Debug, Default)]
pub struct StsStore {
    directory: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kept: HashMap<String, Arc<Kept>>,
    failed: HashMap<String, Failed>,
}

/// A fetch that failed.
#[derive(Debug, Clone)]
struct Failed {
    id: String,
    at: Timestamp,
    error: Arc<FetchError>,
}

/// A policy as it is written.
#[derive(Serialize, Deserialize)]
struct File {
    id: String,
    /// Milliseconds since 1970.
    fetched: Timestamp,
    policy: String,
}

impl StsStore {
    /// Reads what is kept below a directory, which is made. Files that cannot
    /// be used are told and passed over; policies past their end are removed.
    /// Blocks.
    ///
    /// # Errors
    /// The directory cannot be made or read.
    pub fn open(directory: PathBuf, now: Timestamp) -> io::Result<Self> {
        concord_files::private_directory(&directory)?;
        let mut state = State::default();
        for entry in std::fs::read_dir(&directory)? {
            let path = entry?.path();
            let Some(domain) = domain_of(&path) else { continue };
            match read(&path) {
                Ok(kept) if kept.is_in_force(now) => {
                    if state.kept.len() < MAX_POLICIES {
                        state.kept.insert(domain, Arc::new(kept));
                    }
                }
                Ok(_) => {
                    let _ = std::fs::remove_file(&path);
                }
                Err(error) => {
                    tracing::warn!(file = %path.display(), %error, "a kept MTA-STS policy is not used");
                }
            }
        }
        Ok(Self { directory: Some(directory), state: Mutex::new(state) })
    }

    /// Keeps policies as long as it lives.
    pub fn in_memory() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The policy of a domain, also one past its end.
    pub fn kept(&self, domain: &str) -> Option<Arc<Kept>> {
        self.state().kept.get(domain).cloned()
    }

    /// The fetch of a domain that failed last, and of which id it was.
    pub fn failed(&self, domain: &str) -> Option<(String, Timestamp, Arc<FetchError>)> {
        self.state().failed.get(domain).map(|f| (f.id.clone(), f.at, Arc::clone(&f.error)))
    }

    /// Notes that a fetch failed.
    pub fn fail(&self, domain: &str, id: &str, error: Arc<FetchError>, now: Timestamp) {
        let mut state = self.state();
        if state.failed.len() >= MAX_POLICIES {
            state.failed.clear();
        }
        state.failed.insert(domain.to_owned(), Failed { id: id.to_owned(), at: now, error });
    }

    /// Keeps a policy. It is in force even if it cannot be written. Blocks.
    ///
    /// # Errors
    /// It could not be written; it is gone with this process.
    pub fn keep(&self, domain: &str, kept: Kept) -> io::Result<Arc<Kept>> {
        let kept = Arc::new(kept);
        let surplus = {
            let mut state = self.state();
            state.failed.remove(domain);
            state.kept.insert(domain.to_owned(), Arc::clone(&kept));
            let first = state.kept.iter().min_by_key(|(_, kept)| kept.expires());
            let first = first.map(|(domain, _)| domain.clone());
            first.filter(|_| state.kept.len() > MAX_POLICIES).inspect(|domain| {
                state.kept.remove(domain);
            })
        };
        let Some(directory) = &self.directory else { return Ok(kept) };
        if let Some(path) = surplus.and_then(|domain| file_of(directory, &domain)) {
            let _ = std::fs::remove_file(path);
        }
        if let Some(path) = file_of(directory, domain) {
            let file = File {
                id: kept.id.clone(),
                fetched: kept.fetched,
                policy: kept.policy.to_string(),
            };
            let text = serde_json::to_string(&file).map_err(io::Error::other)?;
            concord_files::replace(&path, text.as_bytes())?;
        }
        Ok(kept)
    }
}

fn read(path: &Path) -> io::Result<Kept> {
    let octets = concord_files::read(path, MAX_FILE)?.ok_or(io::ErrorKind::NotFound)?;
    let file: File = serde_json::from_slice(&octets).map_err(io::Error::other)?;
    let policy = StsPolicy::parse(file.policy.as_bytes()).map_err(io::Error::other)?;
    Ok(Kept { id: file.id, fetched: file.fetched, policy })
}

/// The file of a domain; none if its name is not fit for one.
fn file_of(directory: &Path, domain: &str) -> Option<PathBuf> {
    let fit = !domain.is_empty()
        && domain.len() <= 240
        && !domain.starts_with('.')
        && domain.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_'));
    fit.then(|| directory.join(format!("{domain}.{SUFFIX}")))
}

fn domain_of(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    name.strip_suffix(SUFFIX)?.strip_suffix('.').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const NOW: Timestamp = Timestamp(1_795_886_100_000);

    fn kept(max_age: u64) -> Kept {
        let text = format!("version: STSv1\nmode: enforce\nmx: *.a.test\nmax_age: {max_age}\n");
        let policy = StsPolicy::parse(text.as_bytes()).unwrap();
        Kept { id: "7".to_owned(), fetched: NOW, policy }
    }

    #[test]
    fn policies_survive_a_restart_until_their_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sts");
        let store = StsStore::open(path.clone(), NOW).unwrap();
        store.keep("example.org", kept(3_600)).unwrap();
        store.keep("../../etc/passwd", kept(3_600)).unwrap();
        std::fs::write(path.join("broken.test.json"), "{").unwrap();
        let again = StsStore::open(path.clone(), NOW + Duration::from_secs(3_599)).unwrap();
        assert_eq!(again.kept("example.org").as_deref(), Some(&kept(3_600)));
        assert!(again.kept("broken.test").is_none());
        assert!(again.kept("../../etc/passwd").is_none());
        let late = StsStore::open(path.clone(), NOW + Duration::from_secs(3_600)).unwrap();
        assert!(late.kept("example.org").is_none());
        assert!(!path.join("example.org.json").exists());
        assert!(path.join("broken.test.json").exists(), "what is not understood is left");
    }

    #[test]
    fn a_policy_that_is_kept_forgets_the_failure_before_it() {
        let store = StsStore::in_memory();
        let error = Arc::new(FetchError::Slow("mta-sts.a.test".to_owned()));
        store.fail("a.test", "7", error, NOW);
        assert_eq!(store.failed("a.test").unwrap().0, "7");
        store.keep("a.test", kept(60)).unwrap();
        assert!(store.failed("a.test").is_none());
    }
}
