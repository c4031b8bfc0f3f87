//! Keeping one certificate good.

use crate::challenges::Challenges;
use crate::error::AcmeError;
use crate::order::order;
use crate::plan::Plan;
use crate::schedule;
use crate::state::{AcmeState, Failed};
use concord_base::{Clock, Timestamp};
use concord_tls::{CertificateFacts, facts, ordered_files};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Longest sleep between looks at the clock: it may be set, and a suspended
/// machine does not count.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Where evenly spread random numbers come from.
pub type Randomness = Arc<dyn Fn() -> u32 + Send + Sync>;

/// What somebody wants of the renewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// A certificate, if there is none or it lacks a name.
    Order,
    /// A new one, if it is due.
    Renew,
    /// A new one now.
    RenewNow,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A new certificate is in its place.
    Ordered(CertificateFacts),
    /// The one that is there is good until it is renewed at this time.
    NotDue(Timestamp),
}

/// Keeps one certificate good.
pub struct Renewer {
    plan: Plan,
    challenges: Challenges,
    clock: Arc<dyn Clock>,
    random: Randomness,
    /// Drawn once, so that the time of the renewal stands still.
    spread: u32,
    /// One order at a time.
    order: Mutex<()>,
}

impl std::fmt::Debug for Renewer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Renewer").field("plan", &self.plan).finish_non_exhaustive()
    }
}

impl Renewer {
    /// A renewer of what `plan` says. Answers to challenges go into
    /// `challenges`, from which the web service serves them.
    pub fn new(
        plan: Plan,
        challenges: Challenges,
        clock: Arc<dyn Clock>,
        random: Randomness,
    ) -> Self {
        let spread = random();
        Self { plan, challenges, clock, random, spread, order: Mutex::new(()) }
    }

    /// What is to be ordered.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Why a certificate is wanted now; none if the one that is there is good
    /// until the time that is given.
    fn wanted(&self) -> Result<Timestamp, &'static str> {
        let Ok(found) = facts(&ordered_files(&self.plan.keep_in)) else {
            return Err("there is none");
        };
        let has = |name: &String| found.names.iter().any(|n| n.eq_ignore_ascii_case(name));
        if !self.plan.names.iter().all(has) {
            return Err("it lacks a name");
        }
        Ok(schedule::renewal(found.not_before, found.not_after, self.spread))
    }

    /// Does what somebody wants, at once and whatever failed before. The
    /// outcome is remembered.
    ///
    /// # Errors
    /// The order's; the certificate that was there stays.
    pub async fn fulfil(&self, wish: Wish) -> Result<Outcome, AcmeError> {
        let _one = self.order.lock().await;
        let now = self.clock.now();
        match (self.wanted(), wish) {
            (Ok(at), Wish::Order) => return Ok(Outcome::NotDue(at)),
            (Ok(at), Wish::Renew) if now < at => return Ok(Outcome::NotDue(at)),
            _ => {}
        }
        tracing::info!(
            directory = self.plan.directory, names = ?self.plan.names,
            challenge = self.plan.proof.name(), "a certificate is ordered"
        );
        let outcome = order(&self.plan, &self.challenges).await;
        self.remember(&outcome)?;
        outcome.map(Outcome::Ordered)
    }

    fn remember(&self, outcome: &Result<CertificateFacts, AcmeError>) -> Result<(), AcmeError> {
        let now = self.clock.now();
        let directory = &self.plan.keep_in;
        let state = match outcome {
            Ok(facts) => {
                tracing::info!(serial = facts.serial, "the certificate is in its place");
                let next = schedule::renewal(facts.not_before, facts.not_after, self.spread);
                AcmeState { succeeded: Some(now), next: Some(next), ..AcmeState::default() }
            }
            Err(error) => {
                let before = AcmeState::read(directory);
                let failures = before.failures.saturating_add(1);
                let limited = matches!(error, AcmeError::RateLimited { .. });
                let wait = schedule::back_off(failures, limited, (self.random)());
                tracing::error!(
                    %error, failures, again_in_s = wait.as_secs(), "no certificate was had"
                );
                AcmeState {
                    failures,
                    failed: Some(Failed::of(error, now)),
                    succeeded: before.succeeded,
                    next: Some(now + wait),
                    of: String::new(),
                }
            }
        };
        let state = AcmeState { of: self.plan.digest(), ..state };
        state.write(directory)
    }

    /// When the next attempt is due: after a failure what the state says, else
    /// what the certificate says.
    fn due(&self) -> Timestamp {
        let state = AcmeState::read(&self.plan.keep_in);
        // Whoever changed the settings does not want to wait for what failed before.
        let counts = state.failures > 0 && state.of == self.plan.digest();
        let after_failure = state.next.filter(|_| counts);
        let by_certificate = self.wanted().unwrap_or(Timestamp(0));
        after_failure.map_or(by_certificate, |next| next.max(by_certificate))
    }

    /// Orders and renews whenever it is due, for ever. Failures are remembered
    /// and logged.
    pub async fn run(&self) {
        loop {
            let now = self.clock.now();
            let due = self.due();
            if now < due {
                tokio::time::sleep(due.since(now).min(LOOK_EVERY)).await;
            } else if self.fulfil(Wish::Renew).await.is_err() {
                // If the state cannot be written either, nothing says to wait.
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::Proof;
    use concord_base::ManualClock;
    use concord_tls::Roots;
    use std::path::Path;

    const START: Timestamp = Timestamp::from_seconds(1_795_886_100);

    /// Nobody listens on port 1.
    fn renewer(at: &Path, name: &str, clock: &Arc<ManualClock>) -> Renewer {
        let root = concord_tls::self_made(&at.join("root"), "ca.test", START).unwrap();
        let plan = Plan {
            directory: "https://127.0.0.1:1/dir".into(),
            contact: Vec::new(),
            names: vec![name.into()],
            proof: Proof::Http01,
            roots: Roots::File(root.certificate),
            external_account: None,
            keep_in: at.to_owned(),
        };
        Renewer::new(plan, Challenges::default(), clock.clone(), Arc::new(|| 0))
    }

    #[tokio::test]
    async fn failures_are_remembered_and_wait_until_the_settings_change() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(START));
        let first = renewer(dir.path(), "a.test", &clock);
        assert_eq!(first.due(), Timestamp(0), "there is none");
        let error = first.fulfil(Wish::Renew).await.unwrap_err();
        assert!(matches!(error, AcmeError::Unreachable { .. }), "{error}");
        assert_eq!(first.due(), START + schedule::FIRST_WAIT);
        clock.advance(Duration::from_secs(3_600));
        first.fulfil(Wish::Order).await.unwrap_err();
        let state = AcmeState::read(dir.path());
        assert_eq!(state.failures, 2);
        assert_eq!(state.failed.as_ref().map(|f| f.code.as_str()), Some("acme.unreachable"));
        assert_eq!(first.due(), clock.now() + schedule::FIRST_WAIT * 2);
        // A restart waits too, unless other settings may mend it.
        assert_eq!(renewer(dir.path(), "a.test", &clock).due(), first.due());
        assert_eq!(renewer(dir.path(), "b.test", &clock).due(), Timestamp(0));
    }

    #[tokio::test]
    async fn a_good_certificate_is_left_alone_until_it_is_due() {
        let dir = tempfile::tempdir().unwrap();
        let made = concord_tls::self_made(&dir.path().join("x"), "a.test", START).unwrap();
        let place = ordered_files(dir.path()).certificate;
        std::fs::rename(&made.certificate, &place).unwrap();
        let clock = Arc::new(ManualClock::new(START));
        let renewer = renewer(dir.path(), "a.test", &clock);
        let due = renewer.due();
        assert!(START < due);
        assert_eq!(renewer.fulfil(Wish::Renew).await.unwrap(), Outcome::NotDue(due));
        assert_eq!(renewer.fulfil(Wish::Order).await.unwrap(), Outcome::NotDue(due));
        clock.advance(due.since(START));
        renewer.fulfil(Wish::Renew).await.unwrap_err();
        assert!(place.exists(), "what was there stays");
    }
}
