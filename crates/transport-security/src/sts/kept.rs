//! Which policy is in force, and when one is fetched (RFC 8461 section 3.3).

use super::fetch::FetchError;
use super::policy::{StsMode, StsPolicy};
use super::record::StsRecord;
use crate::limits::{FETCH_PAUSE, REFRESH};
use concord_base::Timestamp;
use std::sync::Arc;

/// A policy that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its id in the DNS when it was fetched.
    pub id: String,
    /// When it was fetched.
    pub fetched: Timestamp,
    /// What it says.
    pub policy: StsPolicy,
}

impl Kept {
    /// When it ends.
    pub fn expires(&self) -> Timestamp {
        self.fetched + self.policy.max_age
    }

    /// Whether it is in force.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        now < self.expires()
    }
}

/// What a domain's MTA-STS says about one delivery.
#[derive(Debug, Clone)]
pub enum Sts {
    /// Nothing.
    None,
    /// A policy is in force. It may be one that was kept although something
    /// newer cannot be had.
    Policy {
        /// The policy.
        kept: Arc<Kept>,
        /// Why it is not the newest.
        trouble: Option<Arc<FetchError>>,
    },
    /// The domain has a policy, but none could be fetched and none was kept:
    /// delivery goes on as without one (section 3.3), and is reported.
    Unfetched(Arc<FetchError>),
}

impl Sts {
    /// The policy in force, unless its mode is `none`.
    pub fn policy(&self) -> Option<&Kept> {
        match self {
            Self::Policy { kept, .. } if kept.policy.mode != StsMode::None => Some(kept),
            _ => None,
        }
    }
}

/// What to do for a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The domain has no policy.
    Nothing,
    /// The kept policy is in force.
    Use(Arc<Kept>),
    /// A fetch failed a moment ago, and nothing is kept.
    Wait,
    /// Fetch; if that fails, go by the kept policy, if there is one.
    Fetch {
        /// The id of what is fetched.
        id: String,
        /// What stays in force if it fails.
        otherwise: Option<Arc<Kept>>,
    },
}

/// Decides. `failed` is when a fetch of the domain failed last, and of which
/// id. Policies past their end do not count.
pub fn next(
    record: &StsRecord,
    kept: Option<Arc<Kept>>,
    failed: Option<(&str, Timestamp)>,
    now: Timestamp,
) -> Next {
    let kept = kept.filter(|kept| kept.is_in_force(now));
    let StsRecord::Id(id) = record else {
        // Without a record a kept policy stays in force: else whoever forges
        // the DNS could take it away.
        return kept.map_or(Next::Nothing, Next::Use);
    };
    let paused =
        failed.is_some_and(|(of, at)| of == id && now.since(at) < FETCH_PAUSE && now >= at);
    match kept {
        Some(kept) if paused => Next::Use(kept),
        None if paused => Next::Wait,
        Some(kept) if kept.id == *id && !is_old(&kept, now) => Next::Use(kept),
        otherwise => Next::Fetch { id: id.clone(), otherwise },
    }
}

/// A day, or half of a shorter life.
fn is_old(kept: &Kept, now: Timestamp) -> bool {
    now.since(kept.fetched) >= REFRESH.min(kept.policy.max_age / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const START: Timestamp = Timestamp(1_795_886_100_000);

    fn kept(id: &str, max_age: u64) -> Arc<Kept> {
        let text = format!("version: STSv1\nmode: enforce\nmx: a.test\nmax_age: {max_age}\n");
        let policy = StsPolicy::parse(text.as_bytes()).unwrap();
        Arc::new(Kept { id: id.to_owned(), fetched: START, policy })
    }

    fn after(seconds: u64) -> Timestamp {
        START + Duration::from_secs(seconds)
    }

    #[test]
    fn the_table_of_records_and_policies() {
        let week = kept("1", 604_800);
        let id = |id: &str| StsRecord::Id(id.to_owned());
        let fetch = |id: &str, otherwise| Next::Fetch { id: id.to_owned(), otherwise };
        let using = Next::Use(Arc::clone(&week));
        for (record, have, failed, seconds, expected) in [
            (StsRecord::Absent, None, None, 0, Next::Nothing),
            (StsRecord::Unanswered, None, None, 0, Next::Nothing),
            (id("1"), None, None, 0, fetch("1", None)),
            (id("1"), Some(&week), None, 60, using.clone()),
            // The record has gone or cannot be had: what was kept stays.
            (StsRecord::Absent, Some(&week), None, 60, using.clone()),
            (StsRecord::Unanswered, Some(&week), None, 604_799, using.clone()),
            (StsRecord::Absent, Some(&week), None, 604_800, Next::Nothing),
            (id("1"), Some(&week), None, 604_800, fetch("1", None)),
            // Another policy, or a day has passed.
            (id("2"), Some(&week), None, 60, fetch("2", Some(week.clone()))),
            (id("1"), Some(&week), None, 86_400, fetch("1", Some(week.clone()))),
            // It failed a moment ago.
            (id("2"), Some(&week), Some(("2", 30)), 60, using.clone()),
            (id("2"), Some(&week), Some(("2", 30)), 330, fetch("2", Some(week.clone()))),
            (id("2"), None, Some(("2", 30)), 60, Next::Wait),
            (id("3"), Some(&week), Some(("2", 30)), 60, fetch("3", Some(week.clone()))),
        ] {
            let failed = failed.map(|(id, at)| (id, after(at)));
            let decided = next(&record, have.cloned(), failed, after(seconds));
            assert_eq!(decided, expected, "{record:?} {have:?} {failed:?} {seconds}");
        }
    }

    #[test]
    fn a_policy_of_an_hour_is_fetched_again_after_half_of_it() {
        let hour = kept("1", 3_600);
        let record = StsRecord::Id("1".to_owned());
        let at = |seconds| next(&record, Some(hour.clone()), None, after(seconds));
        assert_eq!(at(1_799), Next::Use(hour.clone()));
        assert!(matches!(at(1_800), Next::Fetch { otherwise: Some(_), .. }));
    }
}
