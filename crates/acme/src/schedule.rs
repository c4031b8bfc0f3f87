//! When a certificate is ordered: pure arithmetic.

use concord_base::Timestamp;
use std::time::Duration;

/// Wait after the first failure; authorities allow some failed proofs an hour.
pub const FIRST_WAIT: Duration = Duration::from_secs(15 * 60);
/// Longest wait between attempts: a mended DNS is seen the same day.
pub const LONGEST_WAIT: Duration = Duration::from_secs(12 * 3_600);
/// Least wait after the authority said that it takes no more: its windows are
/// hours to a week.
pub const LIMITED_WAIT: Duration = Duration::from_secs(6 * 3_600);

/// When a certificate is renewed: between two thirds and seven tenths of its
/// life, so that thousands of servers that were set up in one hour do not
/// come in one hour again. `random` is any number, evenly spread.
pub fn renewal(not_before: Timestamp, not_after: Timestamp, random: u32) -> Timestamp {
    let life = not_after.since(not_before);
    not_before + life * 2 / 3 + share(life / 30, random)
}

/// The wait before the next attempt, after so many failures one behind the
/// other (from 1): doubled each time, and up to a quarter more by `random`.
pub fn back_off(failures: u32, limited: bool, random: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let wait = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
    let wait = if limited { wait.max(LIMITED_WAIT) } else { wait };
    wait + share(wait / 4, random)
}

/// A part of `whole`, from nothing to all, as `random` is of its own range.
fn share(whole: Duration, random: u32) -> Duration {
    whole.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn ninety_days_are_renewed_after_sixty_to_sixty_three() {
        let from = Timestamp::from_seconds(1_800_000_000);
        let to = from + DAY * 90;
        assert_eq!(renewal(from, to, 0), from + DAY * 60);
        assert_eq!(renewal(from, to, u32::MAX), from + DAY * 63);
    }

    #[test]
    fn failures_wait_longer_and_longer() {
        let waits: Vec<_> = (1..9).map(|n| back_off(n, false, 0).as_secs() / 60).collect();
        assert_eq!(waits, [15, 30, 60, 120, 240, 480, 720, 720]);
        assert_eq!(back_off(1, true, 0), LIMITED_WAIT);
        assert_eq!(back_off(1, false, u32::MAX), FIRST_WAIT * 5 / 4);
    }

    proptest! {
        #[test]
        fn a_renewal_lies_within_the_certificate(
            from in 0i64..4_000_000_000, life in 60i64..1_000_000_000, random: u32
        ) {
            let from = Timestamp::from_seconds(from);
            let to = from + Duration::from_secs(life.unsigned_abs());
            let at = renewal(from, to, random);
            prop_assert!(from < at && at < to);
        }

        #[test]
        fn no_wait_is_beyond_the_longest(failures: u32, limited: bool, random: u32) {
            let wait = back_off(failures, limited, random);
            prop_assert!(wait >= FIRST_WAIT && wait <= LONGEST_WAIT * 5 / 4);
        }
    }
}
