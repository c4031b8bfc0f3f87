use super::*;
use concord_mail_policy::Period;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn settings() -> Greylisting {
    Greylisting { enabled: true, delay: Period(5 * MINUTE), remember: Period(30 * DAY) }
}

fn from<'a>(client: &str, sender: &'a str, recipient: &'a str) -> Presented<'a> {
    let sender = (!sender.is_empty()).then_some(sender);
    Presented { client: client.parse().unwrap(), sender, recipient }
}

fn ask(
    list: &mut Greylist,
    presented: &Presented<'_>,
    after: Duration,
) -> Result<Passed, Duration> {
    list.ask(&settings(), presented, NOW + after)
}

#[test]
fn who_comes_again_after_the_delay_is_known_with_the_whole_network() {
    let mut list = Greylist::new();
    let first = from("192.0.2.1", "a@remote.test", "bob@example.test");
    assert_eq!(ask(&mut list, &first, Duration::ZERO), Err(5 * MINUTE));
    assert_eq!(ask(&mut list, &first, MINUTE), Err(4 * MINUTE));
    let other = from("192.0.2.1", "b@remote.test", "bob@example.test");
    assert_eq!(ask(&mut list, &other, MINUTE), Err(5 * MINUTE));
    // It tries again from a neighbour, in other letters.
    let again = from("192.0.2.9", "A@Remote.test", "Bob@example.test");
    assert_eq!(ask(&mut list, &again, 5 * MINUTE), Ok(Passed::CameAgain));
    assert_eq!(ask(&mut list, &other, 5 * MINUTE), Ok(Passed::Known));
    let stranger = from("198.51.100.1", "a@remote.test", "bob@example.test");
    assert!(ask(&mut list, &stranger, 5 * MINUTE).is_err());
}

#[test]
fn who_comes_too_late_or_was_away_for_long_begins_anew() {
    let mut list = Greylist::new();
    let first = from("192.0.2.1", "", "bob@example.test");
    assert!(ask(&mut list, &first, Duration::ZERO).is_err());
    assert_eq!(ask(&mut list, &first, 2 * DAY), Err(5 * MINUTE));
    assert_eq!(ask(&mut list, &first, 2 * DAY + 5 * MINUTE), Ok(Passed::CameAgain));
    assert_eq!(ask(&mut list, &first, 32 * DAY), Ok(Passed::Known));
    assert_eq!(ask(&mut list, &first, 62 * DAY), Ok(Passed::Known), "each time renews it");
    assert_eq!(ask(&mut list, &first, 93 * DAY), Err(5 * MINUTE));
}

#[test]
fn a_flood_is_bounded_and_lets_new_ones_pass() {
    let mut list = Greylist::new();
    let one = from("192.0.2.1", "real@remote.test", "bob@example.test");
    assert!(ask(&mut list, &one, Duration::ZERO).is_err());
    let mut flooded = 0u32;
    for n in 0..200_000u32 {
        let client = std::net::Ipv4Addr::from_bits(0x0a00_0000 | (n << 8)).to_string();
        let sender = n.to_string();
        if ask(&mut list, &from(&client, &sender, "x"), MINUTE) == Ok(Passed::NoRoom) {
            flooded += 1;
        }
    }
    assert_eq!(list.len().0, MAX_WAITING);
    assert!(flooded > 0);
    assert_eq!(ask(&mut list, &one, 5 * MINUTE), Ok(Passed::CameAgain), "who waited is not lost");
    // Later those that did not come are given up.
    let late = from("198.51.100.77", "", "bob@example.test");
    assert!(ask(&mut list, &late, Duration::from_secs(3 * 3600)).is_err());
    assert!(list.len().0 <= MAX_WAITING);
}

#[test]
fn it_survives_a_restart() {
    let mut list = Greylist::new();
    let waits = from("192.0.2.1", "a@remote.test", "bob@example.test");
    let known = from("2001:db8::1", "a@remote.test", "bob@example.test");
    assert!(list.take_changes().is_none());
    ask(&mut list, &known, Duration::ZERO).unwrap_err();
    ask(&mut list, &known, 5 * MINUTE).unwrap();
    ask(&mut list, &waits, 5 * MINUTE).unwrap_err();
    let octets = list.take_changes().unwrap();
    assert!(list.take_changes().is_none());
    let mut back = Greylist::from_octets(&octets, NOW + 6 * MINUTE).unwrap();
    assert_eq!(ask(&mut back, &known, 6 * MINUTE), Ok(Passed::Known));
    assert_eq!(ask(&mut back, &waits, 6 * MINUTE), Err(4 * MINUTE));
    assert_eq!(ask(&mut back, &waits, 10 * MINUTE), Ok(Passed::CameAgain));
    let text = String::from_utf8_lossy(&octets);
    assert!(!text.contains("remote.test"), "no address is in the file");
    // Written by a machine whose clock was in the future.
    let early = Greylist::from_octets(&octets, NOW - DAY).unwrap();
    assert!(early.is_empty());
}

#[test]
fn damage_is_named() {
    let mut list = Greylist::new();
    ask(&mut list, &from("192.0.2.1", "", "x"), Duration::ZERO).unwrap_err();
    let octets = list.to_octets();
    let read = |octets: &[u8]| Greylist::from_octets(octets, NOW).map(|list| list.len());
    assert_eq!(read(&octets), Ok((1, 0)));
    assert_eq!(read(b""), Err(Damaged::Title));
    assert_eq!(read(b"concord greylist 2\n"), Err(Damaged::Title));
    for end in 19..octets.len() {
        assert!(read(&octets[..end]).is_err());
    }
    for at in 19..octets.len() {
        let mut bad = octets.clone();
        bad[at] ^= 1;
        assert_eq!(read(&bad), Err(Damaged::Checksum));
    }
}

proptest! {
    #[test]
    fn no_octets_break_it(octets: Vec<u8>, known in 0u32..4, waiting in 0u32..4) {
        crate::fuzz(&octets);
        let mut whole = b"concord greylist 1\n".to_vec();
        whole.extend_from_slice(&waiting.to_le_bytes());
        whole.extend_from_slice(&known.to_le_bytes());
        whole.extend_from_slice(&octets);
        let sum = crc32c::crc32c(&whole);
        whole.extend_from_slice(&sum.to_le_bytes());
        crate::fuzz(&whole);
    }
}
