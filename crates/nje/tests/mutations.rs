//! Recorded connections with octets changed, left out and doubled.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // tests

mod common;

use common::{CAPTURES, capture, octets_of};
use concord_nje::Direction;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn changed_octets_of_real_links_are_survived(
        which in 0..CAPTURES.len(),
        opener in any::<bool>(),
        begin in 0..60_usize,
        changes in proptest::collection::vec((any::<usize>(), any::<u8>(), 0..3_u8), 1..8),
    ) {
        let end = if opener { Direction::FromOpener } else { Direction::FromListener };
        let mut octets = octets_of(&capture(CAPTURES[which]), end);
        octets.drain(..begin.min(octets.len()));
        octets.truncate(6000);
        for (place, octet, change) in changes {
            if octets.is_empty() {
                break;
            }
            let place = place % octets.len();
            match change {
                0 => octets[place] = octet,
                1 => drop(octets.remove(place)),
                _ => octets.insert(place, octet),
            }
        }
        concord_nje::fuzz(&octets);
    }
}
