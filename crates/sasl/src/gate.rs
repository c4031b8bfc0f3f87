//! Password checks with bounds: on memory, on CPU, on waiting.

use crate::password::{SALT, SCRAM_ITERATIONS, check_password};
use crate::scram::{self, KEY};
use crate::{SaslError, make_credentials};
use concord_directory::{Credentials, ScramVerifier};
use lru::LruCache;
use rand::RngCore;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::Semaphore;

/// Bounds of a [`PasswordGate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateLimits {
    /// Checks that run at once; each takes 19 MiB and a core.
    pub concurrent: NonZeroUsize,
    /// Checks that wait for their turn; more are refused as busy, for at some
    /// 20 ms each they would outlive their clients' patience.
    pub waiting: usize,
    /// Recent successes that are remembered, 100 bytes each.
    pub remembered: NonZeroUsize,
}

impl Default for GateLimits {
    fn default() -> Self {
        let two = NonZeroUsize::MIN.saturating_add(1);
        Self {
            concurrent: std::thread::available_parallelism()
                .unwrap_or(two)
                .min(two.saturating_add(6)),
            waiting: 1_000,
            remembered: NonZeroUsize::MIN.saturating_add(4_095),
        }
    }
}

/// Checks passwords on blocking threads, a bounded number at once, and
/// remembers recent successes, so that a client that logs in every few seconds
/// does not pay argon2id each time.
///
/// What is remembered is `HMAC(random key of this process, verifier and
/// password)`: it dies with the process, and a changed password changes the
/// verifier and so misses.
pub struct PasswordGate {
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    limits: GateLimits,
    key: [u8; KEY],
    decoy_key: [u8; KEY],
    recent: Mutex<LruCache<[u8; KEY], ()>>,
    decoy: OnceLock<Credentials>,
}

impl fmt::Debug for PasswordGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordGate").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Default for PasswordGate {
    fn default() -> Self {
        Self::new(GateLimits::default())
    }
}

impl PasswordGate {
    /// A gate with these bounds and random keys.
    pub fn new(limits: GateLimits) -> Self {
        let (mut key, mut decoy_key) = ([0; KEY], [0; KEY]);
        rand::rng().fill_bytes(&mut key);
        rand::rng().fill_bytes(&mut decoy_key);
        Self {
            turns: Arc::new(Semaphore::new(limits.concurrent.get())),
            waiting: AtomicUsize::new(0),
            limits,
            key,
            decoy_key,
            recent: Mutex::new(LruCache::new(limits.remembered)),
            decoy: OnceLock::new(),
        }
    }

    /// Sets the key from which the SCRAM salts of unknown logins are made. With
    /// a key that outlives the process those salts stay the same over
    /// restarts, as real ones do.
    #[must_use]
    pub fn with_decoy_key(mut self, key: [u8; 32]) -> Self {
        self.decoy_key = key;
        self
    }

    /// The key of [`Self::with_decoy_key`].
    pub(crate) fn decoy_key(&self) -> &[u8; KEY] {
        &self.decoy_key
    }

    /// Whether the password fits. Without credentials (nobody of that name, a
    /// disabled mailbox) it takes as long as a wrong password and says no.
    ///
    /// # Errors
    /// [`SaslError::Busy`] when too many wait.
    pub async fn check(
        &self,
        credentials: Option<&Credentials>,
        password: &str,
    ) -> Result<bool, SaslError> {
        let seen = credentials
            .map(|c| scram::hmac(&self.key, &[c.argon2id.as_bytes(), b"\0", password.as_bytes()]));
        if let Some(seen) = &seen
            && self.recent().get(seen).is_some()
        {
            return Ok(true);
        }
        let credentials = credentials.cloned();
        let decoy = if credentials.is_none() { self.decoy.get().cloned() } else { None };
        let password = password.to_owned();
        let _waiting = Waiting::enter(&self.waiting, self.limits.waiting)?;
        let turn = Arc::clone(&self.turns)
            .acquire_owned()
            .await
            .map_err(|_| SaslError::Bug("the gate is closed".into()))?;
        let work = tokio::task::spawn_blocking(move || {
            // the turn goes along, for the thread runs on if the client hangs up
            let _turn = turn;
            match (credentials, decoy) {
                (Some(credentials), _) => (check_password(&credentials, &password), None),
                (None, Some(decoy)) => {
                    check_password(&decoy, &password);
                    (false, None)
                }
                // making the decoy takes at least as long as checking one
                (None, None) => (false, make_credentials("decoy", &mut rand::rng()).ok()),
            }
        });
        let (fits, made) = work.await.map_err(|e| SaslError::Bug(e.to_string()))?;
        if let Some(made) = made {
            let _ = self.decoy.set(made);
        }
        if let (true, Some(seen)) = (fits, seen) {
            self.recent().put(seen, ());
        }
        Ok(fits)
    }

    fn recent(&self) -> std::sync::MutexGuard<'_, LruCache<[u8; KEY], ()>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The verifier that a login without one appears to have: its salt depends
/// only on the name, so asking twice does not give it away.
pub(crate) fn decoy_verifier(key: &[u8; KEY], login: &str) -> ScramVerifier {
    let make = |what: &[u8]| scram::hmac(key, &[what, b"\0", login.to_lowercase().as_bytes()]);
    ScramVerifier {
        salt: make(b"salt").into_iter().take(SALT).collect(),
        iterations: SCRAM_ITERATIONS,
        stored_key: make(b"stored").to_vec(),
        server_key: make(b"server").to_vec(),
    }
}

/// Counts those that wait or run; leaves when dropped, also when the client hangs up.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize, limit: usize) -> Result<Self, SaslError> {
        let waiting = count.fetch_add(1, Ordering::Relaxed);
        let guard = Self(count);
        if waiting >= limit { Err(SaslError::Busy { waiting }) } else { Ok(guard) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[tokio::test]
    async fn a_second_login_is_cheap_and_a_changed_password_is_not_let_in() {
        let gate = PasswordGate::default();
        let old = make_credentials("old", &mut rand::rng()).unwrap();
        assert_eq!(gate.check(Some(&old), "old").await, Ok(true));
        let start = Instant::now();
        for _ in 0..1_000 {
            assert_eq!(gate.check(Some(&old), "old").await, Ok(true));
        }
        assert!(start.elapsed().as_millis() < 1_000, "{:?}", start.elapsed());
        let new = make_credentials("new", &mut rand::rng()).unwrap();
        assert_eq!(gate.check(Some(&new), "old").await, Ok(false));
        assert_eq!(gate.check(None, "old").await, Ok(false));
        assert_eq!(gate.check(None, "decoy").await, Ok(false));
    }

    #[tokio::test]
    async fn a_crowd_is_told_to_come_back() {
        let limits = GateLimits { waiting: 0, ..GateLimits::default() };
        let gate = PasswordGate::new(limits);
        assert_eq!(gate.check(None, "x").await, Err(SaslError::Busy { waiting: 0 }));
        assert_eq!(gate.check(None, "x").await, Err(SaslError::Busy { waiting: 0 }));
    }

    #[tokio::test]
    async fn remembered_successes_are_bounded() {
        let one = NonZeroUsize::MIN;
        let gate = PasswordGate::new(GateLimits { remembered: one, ..GateLimits::default() });
        for password in ["a", "b"] {
            let made = make_credentials(password, &mut rand::rng()).unwrap();
            assert_eq!(gate.check(Some(&made), password).await, Ok(true));
        }
        assert_eq!(gate.recent().len(), 1);
    }
}
