//! Keys over the years, and on the disk.

use super::*;
use crate::KeyStore;
use concord_base::Timestamp;
use std::os::unix::fs::PermissionsExt;

const DAY: i64 = 86_400;

fn active(ring: &KeyRing) -> Vec<&str> {
    let keys = ring.keys.iter().filter(|key| key.state == KeyState::Active);
    keys.map(|key| key.selector.as_str()).collect()
}

#[test]
fn for_two_years_a_seen_key_signs_and_old_records_stay_while_mail_is_under_way() {
    let policy = RotationPolicy::default();
    let first = RotationStep::Make {
        domain: "example.test".into(),
        selector: "first".into(),
        algorithm: KeyAlgorithm::Ed25519,
    };
    let start = Timestamp::from_seconds(1_700_000_000);
    let mut ring = KeyRing::default().after(&first, start).saw("example.test", "first", start);
    let mut signed = std::collections::BTreeSet::new();
    let mut removed = 0;
    for day in 0..730 {
        let now = Timestamp::from_seconds(1_700_000_000 + day * DAY);
        for step in ring.rotate(now, &policy) {
            if let RotationStep::Remove { selector, .. } = &step {
                let key = ring.get("example.test", selector).unwrap();
                assert!(now.since(key.since) >= policy.retire, "{selector} went too early");
                removed += 1;
            }
            ring = ring.after(&step, now);
        }
        // The administrator publishes what is wanted the day after.
        let wanted: Vec<String> = ring.keys.iter().map(|key| key.selector.clone()).collect();
        for selector in wanted {
            ring = ring.saw("example.test", &selector, now);
        }
        let signing = active(&ring);
        assert!(day < 2 || signing.len() == 1, "day {day}: {signing:?} sign");
        signed.extend(signing.into_iter().map(str::to_owned));
    }
    assert_eq!((signed.len(), removed), (4, 3), "{signed:?}");
}

#[test]
fn a_key_whose_record_nobody_saw_does_not_sign() {
    let make = RotationStep::Make {
        domain: "example.test".into(),
        selector: "s".into(),
        algorithm: KeyAlgorithm::Rsa,
    };
    let ring = KeyRing::default().after(&make, Timestamp::from_seconds(0));
    let later = Timestamp::from_seconds(365 * DAY);
    assert_eq!(ring.rotate(later, &RotationPolicy::default()), []);
    let unseen = RotationPolicy { require_seen: false, ..RotationPolicy::default() };
    assert_eq!(ring.rotate(later, &unseen).len(), 1);
}

#[test]
fn keys_are_private_and_there_again_when_the_store_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let directory = dir.path().join("dkim");
    let now = Timestamp::from_seconds(1_700_000_000);
    let mut store = KeyStore::open(&directory).unwrap();
    let record = store.make("example.test", "s1", KeyAlgorithm::Ed25519, now).unwrap();
    assert!(store.make("example.test", "s1", KeyAlgorithm::Ed25519, now).is_err());
    assert!(store.make("../escape", "s1", KeyAlgorithm::Ed25519, now).is_err());
    let again = KeyStore::open(&directory).unwrap();
    assert_eq!(again.ring(), store.ring());
    assert_eq!(again.record("example.test", "s1").unwrap().strings(), record.strings());
    for file in std::fs::read_dir(&directory).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o077;
        assert_eq!(mode, 0, "{} is open to others", file.path().display());
    }
}
