//! The keys that sign what goes out, as they are now.

use concord_mail_authentication::{KeyState, KeyStore, Signer};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How often the state of the keys is looked at, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What tells one state of the keys from another.
type Stamp = Option<(Option<SystemTime>, u64, u64)>;

/// What there is to sign with.
#[derive(Debug, Default)]
pub(crate) struct Signing {
    signer: Signer,
    trouble: Option<Trouble>,
}

/// Keys that should sign and cannot.
#[derive(Debug)]
struct Trouble {
    /// Domains that have active keys; `None` if not even that is known.
    domains: Option<Vec<String>>,
    cause: String,
}

impl Signing {
    /// Whether messages of an author's domain are signed.
    ///
    /// # Errors
    /// Why they cannot be, though they have a key: then they must not leave.
    pub(super) fn signs(&self, author: &str) -> Result<bool, String> {
        if self.signer.domain_for(author).is_some() {
            return Ok(true);
        }
        let Some(trouble) = &self.trouble else { return Ok(false) };
        let author = author.trim_end_matches('.').to_ascii_lowercase();
        let concerns = |domain: &String| {
            author
                .strip_suffix(domain.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        match &trouble.domains {
            Some(domains) if !domains.iter().any(concerns) => Ok(false),
            _ => Err(trouble.cause.clone()),
        }
    }

    /// Whether any message may be signed.
    pub(super) fn is_idle(&self) -> bool {
        self.trouble.is_none() && self.signer.domains().is_empty()
    }

    pub(crate) const fn signer(&self) -> &Signer {
        &self.signer
    }
}

#[derive(Debug)]
struct Kept {
    looked: Option<Instant>,
    stamp: Stamp,
    signing: Arc<Signing>,
}

/// The directory of keys.
#[derive(Debug)]
pub(crate) struct Keys {
    directory: Option<PathBuf>,
    kept: Mutex<Kept>,
}

impl Keys {
    pub(crate) fn new(directory: Option<PathBuf>) -> Self {
        let kept = Kept { looked: None, stamp: None, signing: Arc::default() };
        Self { directory, kept: Mutex::new(kept) }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What there is to sign with now. Looks at the disk at most once a second;
    /// as long as keys are in trouble it reads them each time.
    pub(crate) fn current(&self) -> Arc<Signing> {
        let mut kept = self.kept();
        let Some(directory) = &self.directory else { return Arc::clone(&kept.signing) };
        if kept.looked.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return Arc::clone(&kept.signing);
        }
        kept.looked = Some(Instant::now());
        // Its state is written anew with each change of a key.
        let facts = std::fs::metadata(directory.join("dkim.toml"));
        let now = facts.as_ref().ok().map(stamp);
        if now == kept.stamp && kept.signing.trouble.is_none() {
            return Arc::clone(&kept.signing);
        }
        kept.stamp = now;
        let signing = match now {
            None => Signing::default(),
            Some(_) => load(directory),
        };
        match &signing.trouble {
            Some(trouble) => tracing::error!(
                cause = trouble.cause,
                "mail cannot be signed; what should be signed waits"
            ),
            None => tracing::info!(domains = ?signing.signer.domains(), "keys for signatures read"),
        }
        kept.signing = Arc::new(signing);
        Arc::clone(&kept.signing)
    }
}

fn stamp(facts: &Metadata) -> (Option<SystemTime>, u64, u64) {
    (facts.modified().ok(), facts.len(), facts.ino())
}

fn load(directory: &std::path::Path) -> Signing {
    let store = match KeyStore::open(directory) {
        Ok(store) => store,
        Err(error) => {
            let trouble = Trouble { domains: None, cause: error.to_string() };
            return Signing { signer: Signer::default(), trouble: Some(trouble) };
        }
    };
    match store.signer() {
        Ok(signer) => Signing { signer, trouble: None },
        Err(error) => {
            let active = store.ring().keys.iter().filter(|key| key.state == KeyState::Active);
            let domains = active.map(|key| key.domain.clone()).collect();
            let trouble = Trouble { domains: Some(domains), cause: error.to_string() };
            Signing { signer: Signer::default(), trouble: Some(trouble) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_base::Timestamp;
    use concord_mail_authentication::{KeyAlgorithm, RotationStep};

    #[test]
    fn a_key_that_cannot_be_used_is_not_taken_for_none() {
        let directory = tempfile::tempdir().unwrap();
        let keys = || Keys::new(Some(directory.path().to_owned())).current();
        assert!(keys().is_idle());
        let mut store = KeyStore::open(directory.path()).unwrap();
        let now = Timestamp::from_seconds(1_790_000_000);
        store.make("us.test", "s1", KeyAlgorithm::Ed25519, now).unwrap();
        assert!(keys().is_idle(), "it is not active yet");
        let step = RotationStep::Activate { domain: "us.test".into(), selector: "s1".into() };
        store.apply(&step, now).unwrap();
        assert_eq!(keys().signs("Sub.us.test"), Ok(true));
        assert_eq!(keys().signs("bus.test"), Ok(false));
        std::fs::remove_file(directory.path().join("us.test.s1.pem")).unwrap();
        let broken = keys();
        assert!(broken.signs("us.test").unwrap_err().contains("us.test.s1.pem"));
        assert_eq!(broken.signs("bus.test"), Ok(false));
        std::fs::write(directory.path().join("dkim.toml"), "nonsense").unwrap();
        assert!(keys().signs("bus.test").is_err(), "nobody knows who has a key");
    }
}
