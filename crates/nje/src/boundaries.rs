//! Where TTBs begin in octets that pass by.

use crate::limits::{MIN_TTB, TTC_LENGTH};

/// Octets of a TTB's header up to the end of its length.
const LENGTH_END: usize = 4;

/// Follows one end of a connection from its first octet and tells where a TTB
/// begins, so that somebody who comes later can read on from there. Costs a few
/// instructions for each TTB and holds nothing.
#[derive(Debug, Clone, Copy)]
pub struct Boundaries {
    /// Octets until the next header begins.
    left: usize,
    /// The header's octets so far.
    header: [u8; LENGTH_END],
    have: usize,
    /// What came is no TTB: there are no boundaries any more.
    lost: bool,
}

impl Default for Boundaries {
    /// At the start of a connection: its control record stands first.
    fn default() -> Self {
        Self { left: TTC_LENGTH, header: [0; LENGTH_END], have: 0, lost: false }
    }
}

impl Boundaries {
    /// Takes octets; gives where in them the first TTB begins.
    pub fn pass(&mut self, octets: &[u8]) -> Option<usize> {
        let (mut at, mut first) = (0_usize, None);
        while at < octets.len() && !self.lost {
            if self.left > 0 {
                let skipped = self.left.min(octets.len().saturating_sub(at));
                self.left = self.left.saturating_sub(skipped);
                at = at.saturating_add(skipped);
                continue;
            }
            if self.have == 0 {
                first = first.or(Some(at));
            }
            if let (Some(place), Some(octet)) = (self.header.get_mut(self.have), octets.get(at)) {
                *place = *octet;
            }
            self.have = self.have.saturating_add(1);
            at = at.saturating_add(1);
            if self.have == LENGTH_END {
                let [_, _, high, low] = self.header;
                let length = usize::from(u16::from_be_bytes([high, low]));
                self.lost = length < MIN_TTB;
                self.left = length.saturating_sub(LENGTH_END);
                self.have = 0;
            }
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::write_ttb;
    use bytes::BytesMut;

    #[test]
    fn boundaries_are_found_however_octets_are_cut() {
        let mut stream = BytesMut::from(&[b'x'; TTC_LENGTH][..]);
        let mut begins = vec![];
        for length in [0_usize, 1, 300, 40_000] {
            begins.push(stream.len());
            let blocks: Vec<_> = (length > 0).then(|| vec![7; length].into()).into_iter().collect();
            write_ttb(&blocks, &mut stream);
        }
        for cut in [1, 2, 3, 5, 33, 64, 1000, 100_000] {
            let mut boundaries = Boundaries::default();
            let mut found = Vec::new();
            for (index, piece) in stream.chunks(cut).enumerate() {
                found.extend(boundaries.pass(piece).map(|at| index * cut + at));
            }
            // The first in each piece is told: enough to begin there.
            assert_eq!(found[0], TTC_LENGTH, "{cut}");
            assert!(found.iter().all(|at| begins.contains(at)), "{cut}: {found:?}");
        }
    }

    #[test]
    fn rubbish_has_no_boundaries() {
        let mut boundaries = Boundaries::default();
        boundaries.pass(&[0; 64]);
        assert_eq!(boundaries.pass(&[0; 64]), None);
    }
}
