//! The states of keys, pure.
//!
//! published (the record is wanted, the key does not sign) -> active (it signs)
//! -> retired (the record stays for mail under way, the key does not sign) ->
//! gone.

use super::KeyAlgorithm;
use concord_base::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The state of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// Its record is wanted in the DNS; it does not sign yet.
    Published,
    /// It signs.
    Active,
    /// It does not sign any more; its record must stay for a while.
    Retired,
}

/// A key as the ring knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    /// The domain that signs.
    pub domain: String,
    /// The selector.
    pub selector: String,
    /// The algorithm.
    pub algorithm: KeyAlgorithm,
    /// The state.
    pub state: KeyState,
    /// Since when it has been in this state.
    #[serde(with = "moment")]
    pub since: Timestamp,
    /// When its record was seen in the DNS for the first time.
    #[serde(default, with = "moment::maybe", skip_serializing_if = "Option::is_none")]
    pub seen: Option<Timestamp>,
}

/// All keys of a server. What stands in `dkim.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRing {
    /// The keys, in no order that means anything.
    #[serde(default, rename = "key")]
    pub keys: Vec<KeyEntry>,
}

/// How long keys stay in their states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotationPolicy {
    /// From the wish for a record to the first signature. Longer than the TTL
    /// that resolvers may remember the record's absence for.
    pub publish: Duration,
    /// How long a key signs before the next one is made; [`Duration::MAX`] for
    /// ever.
    pub active: Duration,
    /// How long the record stays after the last signature: longer than mail is
    /// under way. Queues give up after five days (RFC 5321 section 4.5.4.1).
    pub retire: Duration,
    /// A key signs only when its record has been seen ([`KeyRing::saw`]): an
    /// unpublished key makes every signature fail.
    pub require_seen: bool,
}

impl Default for RotationPolicy {
    fn default() -> Self {
        const DAY: u64 = 86_400;
        Self {
            publish: Duration::from_secs(2 * DAY),
            active: Duration::from_secs(180 * DAY),
            retire: Duration::from_secs(8 * DAY),
            require_seen: true,
        }
    }
}

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RotationStep {
    /// Make a key; its record is to be published.
    Make {
        /// The domain.
        domain: String,
        /// A selector that is not used yet.
        selector: String,
        /// The algorithm.
        algorithm: KeyAlgorithm,
    },
    /// Let a key sign.
    Activate {
        /// The domain.
        domain: String,
        /// The selector.
        selector: String,
    },
    /// Let a key not sign any more.
    Retire {
        /// The domain.
        domain: String,
        /// The selector.
        selector: String,
    },
    /// Remove a key; its record may go.
    Remove {
        /// The domain.
        domain: String,
        /// The selector.
        selector: String,
    },
}

impl KeyRing {
    /// What is due now. Depends on nothing but its parameters; does nothing.
    pub fn rotate(&self, now: Timestamp, policy: &RotationPolicy) -> Vec<RotationStep> {
        let mut steps = Vec::new();
        let age = |key: &KeyEntry| now.since(key.since);
        let mut groups: Vec<(&str, KeyAlgorithm)> =
            self.keys.iter().map(|key| (key.domain.as_str(), key.algorithm)).collect();
        groups.sort_unstable();
        groups.dedup();
        for (domain, algorithm) in groups {
            let of = |state| {
                self.keys.iter().filter(move |key| {
                    key.domain == domain && key.algorithm == algorithm && key.state == state
                })
            };
            let ready = of(KeyState::Published).find(|key| {
                age(key) >= policy.publish && (key.seen.is_some() || !policy.require_seen)
            });
            if let Some(next) = ready {
                let named = |key: &KeyEntry| (key.domain.clone(), key.selector.clone());
                let (domain_name, selector) = named(next);
                steps.push(RotationStep::Activate { domain: domain_name, selector });
                steps.extend(
                    of(KeyState::Active)
                        .map(named)
                        .map(|(domain, selector)| RotationStep::Retire { domain, selector }),
                );
            } else if of(KeyState::Published).next().is_none()
                && of(KeyState::Active).next().is_some()
                && of(KeyState::Active).all(|key| age(key) >= policy.active)
            {
                let selector = self.new_selector(domain, algorithm, now);
                steps.push(RotationStep::Make { domain: domain.to_owned(), selector, algorithm });
            }
            let old = of(KeyState::Retired).filter(|key| age(key) >= policy.retire);
            steps.extend(old.map(|key| RotationStep::Remove {
                domain: key.domain.clone(),
                selector: key.selector.clone(),
            }));
        }
        steps
    }

    /// The ring after a step.
    #[must_use]
    pub fn after(mut self, step: &RotationStep, now: Timestamp) -> Self {
        match step {
            RotationStep::Make { domain, selector, algorithm } => self.keys.push(KeyEntry {
                domain: domain.clone(),
                selector: selector.clone(),
                algorithm: *algorithm,
                state: KeyState::Published,
                since: now,
                seen: None,
            }),
            RotationStep::Activate { domain, selector } => {
                self.set(domain, selector, KeyState::Active, now);
            }
            RotationStep::Retire { domain, selector } => {
                self.set(domain, selector, KeyState::Retired, now);
            }
            RotationStep::Remove { domain, selector } => {
                self.keys.retain(|key| key.domain != *domain || key.selector != *selector);
            }
        }
        self
    }

    /// The key of a domain and selector.
    pub fn get(&self, domain: &str, selector: &str) -> Option<&KeyEntry> {
        self.keys.iter().find(|key| key.domain == domain && key.selector == selector)
    }

    /// Notes that the key's record is in the DNS as it should be.
    #[must_use]
    pub fn saw(mut self, domain: &str, selector: &str, now: Timestamp) -> Self {
        let found =
            self.keys.iter_mut().find(|key| key.domain == domain && key.selector == selector);
        if let Some(key) = found {
            key.seen.get_or_insert(now);
        }
        self
    }

    /// A selector that the domain does not have yet: the day and the kind,
    /// `c20261128r`, with a number behind it if that is taken.
    pub fn new_selector(&self, domain: &str, algorithm: KeyAlgorithm, now: Timestamp) -> String {
        let day = jiff::Timestamp::from_millisecond(now.0).unwrap_or_default();
        let kind = match algorithm {
            KeyAlgorithm::Rsa => 'r',
            KeyAlgorithm::Ed25519 => 'e',
        };
        let base = format!("c{}{kind}", day.strftime("%Y%m%d"));
        let mut selector = base.clone();
        let mut number = 2;
        while self.get(domain, &selector).is_some() {
            selector = format!("{base}{number}");
            number += 1;
        }
        selector
    }

    fn set(&mut self, domain: &str, selector: &str, state: KeyState, now: Timestamp) {
        let found =
            self.keys.iter_mut().find(|key| key.domain == domain && key.selector == selector);
        if let Some(key) = found {
            key.state = state;
            key.since = now;
        }
    }
}

/// Moments as people read them, RFC 3339.
mod moment {
    use concord_base::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        let at = jiff::Timestamp::from_millisecond(at.0).map_err(serde::ser::Error::custom)?;
        to.collect_str(&at)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        let at: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Timestamp(at.as_millisecond()))
    }

    pub(super) mod maybe {
        use super::{super::moment, Timestamp};
        use serde::{Deserializer, Serializer};

        pub(in super::super) fn serialize<S: Serializer>(
            at: &Option<Timestamp>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            match at {
                Some(at) => moment::serialize(at, to),
                None => to.serialize_none(),
            }
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<Timestamp>, D::Error> {
            moment::deserialize(from).map(Some)
        }
    }
}
