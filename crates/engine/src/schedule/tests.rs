use super::*;
use std::time::Duration;

const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn group(name: &str) -> Group {
    Group { connector: "net".into(), group: name.into() }
}

fn waiting(message: u64, urgency: Urgency) -> Waiting {
    let now = Standing {
        state: DeliveryState::Queued,
        next_attempt: START,
        attempts: 0,
        crashes: 0,
        delay_reported: false,
    };
    Waiting { message: MessageId(message), received: START, urgency, now }
}

fn add(s: &mut Schedule, id: u64, to: &str) {
    s.add(DeliveryId(id), group(to), waiting(id, Urgency::Normal));
}

fn limits(claims: usize) -> ClaimLimits<'static> {
    ClaimLimits { per_group: 2, ..ClaimLimits::most(claims) }
}

fn claim(s: &mut Schedule, after: u64, claims: usize) -> Vec<u64> {
    let picked = s.claim("net", START + Duration::from_secs(after), &limits(claims));
    picked.iter().flat_map(|p| p.deliveries.iter().map(|d| d.0)).collect()
}

fn down() -> PeerAnswer {
    PeerAnswer { code: 451, status: (4, 4, 1), host: None, text: "down".into() }
}

fn after(seconds: u64) -> Timestamp {
    START + Duration::from_secs(seconds)
}

#[test]
fn a_destination_is_tried_out_by_one_claim_and_then_gets_its_share() {
    let mut s = Schedule::default();
    (1..=5).for_each(|id| add(&mut s, id, "a.test"));
    assert_eq!(claim(&mut s, 0, 9), [1]);
    assert!(claim(&mut s, 0, 9).is_empty(), "one finds out whether it is there");
    s.reached(&group("a.test"));
    assert_eq!(claim(&mut s, 0, 9), [2]);
    assert!(claim(&mut s, 0, 9).is_empty(), "two at once");
    s.unclaim(&[DeliveryId(1)]);
    s.apply(vec![Change::Removed(DeliveryId(1))]);
    assert_eq!(claim(&mut s, 0, 9), [3]);
    assert_eq!(s.waiting(&group("a.test")), 4, "two of them claimed");
}

#[test]
fn a_destination_that_is_down_rests_as_a_whole() {
    let mut s = Schedule::default();
    (1..=100).for_each(|id| add(&mut s, id, "dead.test"));
    add(&mut s, 101, "live.test");
    let picked = s.claim("net", START, &limits(9));
    assert_eq!(picked.len(), 2);
    s.unreached(&group("dead.test"), START, after(60), down());
    s.unclaim(&[DeliveryId(1), DeliveryId(101)]);
    s.apply(vec![Change::Removed(DeliveryId(101))]);
    assert!(claim(&mut s, 59, 9).is_empty());
    assert_eq!(s.next_due("net", &limits(9)), Some(after(60)));
    let rests = s.rests(&group("dead.test"));
    assert_eq!(rests, Some((Some(after(60)), Some(&down()))));
    let again = s.claim("net", after(60), &limits(9));
    assert_eq!(again.len(), 1, "one attempt per back-off");
    assert_eq!(again[0].destination, Reachability { proven: false, failures: 1 });
    s.unreached(&group("dead.test"), after(60), after(300), down());
    s.unclaim(&again[0].deliveries);
    assert!(claim(&mut s, 299, 9).is_empty());
    // It is back.
    assert_eq!(claim(&mut s, 300, 9).len(), 1);
    s.reached(&group("dead.test"));
    assert_eq!(claim(&mut s, 300, 9).len(), 1);
}

#[test]
fn attempts_that_fail_together_are_one_failure() {
    let mut s = Schedule::default();
    (1..=2).for_each(|id| add(&mut s, id, "a.test"));
    s.reached(&group("a.test"));
    claim(&mut s, 0, 1);
    claim(&mut s, 0, 1);
    for _ in 0..2 {
        s.unreached(&group("a.test"), START, after(60), down());
    }
    s.unclaim(&[DeliveryId(1), DeliveryId(2)]);
    assert_eq!(s.claim("net", after(60), &limits(1))[0].destination.failures, 1);
}

#[test]
fn what_was_tried_before_the_start_says_how_long_its_destination_is_down() {
    let mut s = Schedule::default();
    add(&mut s, 1, "a.test");
    let mut tried = waiting(2, Urgency::Normal);
    tried.now.attempts = 7;
    s.add(DeliveryId(2), group("a.test"), tried);
    assert_eq!(s.claim("net", START, &limits(1))[0].destination.failures, 7);
}

#[test]
fn urgent_mail_goes_first_and_the_oldest_of_equals() {
    let mut s = Schedule::default();
    for (id, to, urgency) in [
        (1, "a.test", Urgency::NonUrgent),
        (2, "b.test", Urgency::Normal),
        (3, "c.test", Urgency::Normal),
        (4, "d.test", Urgency::Urgent),
    ] {
        let mut w = waiting(id, urgency);
        w.now.next_attempt = after(10 - id);
        s.add(DeliveryId(id), group(to), w);
    }
    assert_eq!(claim(&mut s, 10, 9), [4, 3, 2, 1]);
}

#[test]
fn destinations_that_are_not_proven_leave_places_to_those_that_are() {
    let mut s = Schedule::default();
    for id in 1..=50 {
        add(&mut s, id, &format!("d{id}.test"));
    }
    add(&mut s, 51, "live.test");
    s.reached(&group("live.test"));
    let few = ClaimLimits { unproven: 3, ..limits(9) };
    let picked = s.claim("net", START, &few);
    assert_eq!(picked.iter().filter(|p| p.destination.proven).count(), 1);
    assert_eq!(picked.len(), 4);
    let none = ClaimLimits { unproven: 0, ..limits(9) };
    assert!(s.claim("net", START, &none).is_empty());
    assert_eq!(s.next_due("net", &none), None);
}

#[test]
fn a_message_goes_to_all_of_a_group_at_once_but_not_to_more_than_a_transaction_takes() {
    let mut s = Schedule::default();
    for id in 1..=250 {
        s.add(DeliveryId(id), group("a.test"), waiting(7, Urgency::Normal));
    }
    s.reached(&group("a.test"));
    let sizes: Vec<usize> = (0..3)
        .map(|_| {
            s.claim("net", START, &ClaimLimits::most(9)).iter().map(|p| p.deliveries.len()).sum()
        })
        .collect();
    assert_eq!(sizes, [100, 100, 50]);
}

#[test]
fn a_suspect_is_claimed_by_itself_and_only_if_it_may() {
    let mut s = Schedule::default();
    let mut suspect = waiting(1, Urgency::Normal);
    suspect.now.crashes = SUSPECT_AFTER;
    s.add(DeliveryId(1), group("a.test"), suspect);
    s.add(DeliveryId(2), group("a.test"), waiting(1, Urgency::Normal));
    let without = ClaimLimits { suspects: false, ..ClaimLimits::most(9) };
    assert_eq!(s.claim("net", START, &without)[0].deliveries, [DeliveryId(2)]);
    s.unclaim(&[DeliveryId(2)]);
    let picked = s.claim("net", START, &ClaimLimits::most(9));
    assert_eq!((picked.len(), picked[0].suspect), (1, true));
}

#[test]
fn a_parked_group_waits_until_it_is_woken() {
    let mut s = Schedule::default();
    add(&mut s, 1, "etrn.test");
    add(&mut s, 2, "b.test");
    let waits = |group: &str| group == "etrn.test";
    let limits = ClaimLimits { waits: &waits, ..ClaimLimits::most(9) };
    let picked = s.claim("net", START, &limits);
    assert_eq!(picked[0].deliveries, [DeliveryId(2)]);
    assert!(s.claim("net", after(9_999), &limits).is_empty());
    assert_eq!(s.next_due("net", &limits), None);
    assert_eq!(s.wake("net", &|group| group == "etrn.test"), 1);
    assert_eq!(claim(&mut s, 0, 9), [1]);
}

#[test]
fn who_wants_a_delivery_to_be_tried_ends_the_rest() {
    let mut s = Schedule::default();
    add(&mut s, 1, "a.test");
    s.unreached(&group("a.test"), START, after(3_600), down());
    assert!(claim(&mut s, 1, 9).is_empty());
    let now = waiting(1, Urgency::Normal).now;
    s.apply(vec![Change::Changed { id: DeliveryId(1), now, wanted: true }]);
    assert_eq!(claim(&mut s, 1, 9), [1]);
}

#[test]
fn what_grows_old_at_rest_is_found() {
    let mut s = Schedule::default();
    (1..=3).for_each(|id| add(&mut s, id, "dead.test"));
    add(&mut s, 4, "live.test");
    let mut old = waiting(5, Urgency::Normal);
    old.received = START - Duration::from_secs(100);
    s.add(DeliveryId(5), group("dead.test"), old);
    old.now.delay_reported = true;
    s.add(DeliveryId(6), group("dead.test"), Waiting { message: MessageId(6), ..old });
    s.unreached(&group("dead.test"), START, after(3_600), down());
    let at = |expired, delayed: Timestamp| Ages { expired, delayed: Some(delayed) };
    let ids = |picked: &[Picked]| -> Vec<u64> {
        picked.iter().flat_map(|p| p.deliveries.iter().map(|d| d.0)).collect()
    };
    let long_ago = START - Duration::from_secs(1_000);
    let warned = s.claim_aged(&|_, _| at(long_ago, START - Duration::from_secs(50)), 9);
    assert_eq!(ids(&warned), [5], "who was told is not told again, who is not at rest is tried");
    s.unclaim(&[DeliveryId(5)]);
    let expired = s.claim_aged(&|_, _| at(START - Duration::from_secs(50), START), 9);
    let mut all = ids(&expired);
    all.sort_unstable();
    assert_eq!(all, [1, 2, 3, 5, 6]);
}

#[test]
fn held_and_removed_deliveries_are_counted_and_not_claimed() {
    let mut s = Schedule::default();
    (1..=3).for_each(|id| add(&mut s, id, "a.test"));
    let held = Standing { state: DeliveryState::Held, ..waiting(1, Urgency::Normal).now };
    s.apply(vec![
        Change::Changed { id: DeliveryId(1), now: held, wanted: false },
        Change::Removed(DeliveryId(2)),
        Change::Moved {
            id: DeliveryId(3),
            group: Group { connector: "other".into(), group: "x".into() },
        },
    ]);
    assert!(claim(&mut s, 0, 9).is_empty());
    let summary = s.summary();
    assert_eq!((summary.queued, summary.held, summary.oldest), (1, 1, Some(START)));
    assert_eq!(s.connectors(), ["net", "other"]);
    assert_eq!(s.claim("other", START, &limits(9)).len(), 1);
}

/// Item by item as a naive queue would: every change in any order leaves each
/// queued, unclaimed delivery claimable, and nothing else.
#[test]
fn any_sequence_of_changes_leaves_what_is_queued_claimable() {
    let mut s = Schedule::default();
    let mut state: u64 = 0x2545_F491_4F6C_DD1D;
    let mut next = |n: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % n
    };
    let mut live = std::collections::BTreeMap::new();
    let mut out: Vec<DeliveryId> = Vec::new();
    for id in 0..5_000u64 {
        let to = format!("d{}.test", next(20));
        match next(6) {
            0..=2 => {
                add(&mut s, id, &to);
                live.insert(DeliveryId(id), true);
            }
            3 => {
                let picked = s.claim("net", after(1), &limits(3));
                out.extend(picked.into_iter().flat_map(|p| p.deliveries));
            }
            4 => {
                if let Some(first) = out.pop() {
                    if next(2) == 0 {
                        s.apply(vec![Change::Removed(first)]);
                        live.remove(&first);
                    }
                    s.unclaim(&[first]);
                }
            }
            _ if next(2) == 0 => s.reached(&group(&to)),
            _ => s.unreached(&group(&to), START, after(1), down()),
        }
    }
    s.unclaim(&out);
    let mut seen = std::collections::BTreeSet::new();
    loop {
        let picked = s.claim("net", after(1), &ClaimLimits::most(1_000));
        if picked.is_empty() {
            break;
        }
        for id in picked.into_iter().flat_map(|p| p.deliveries) {
            assert!(seen.insert(id), "{id:?} twice");
            s.apply(vec![Change::Removed(id)]);
            s.unclaim(&[id]);
        }
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), live.into_keys().collect::<Vec<_>>());
}
