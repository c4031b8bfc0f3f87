//! Sets of UIDs.

use serde::{Deserialize, Serialize};

/// A set of UIDs as ascending, disjoint, non-adjacent ranges.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UidSet(Vec<(u32, u32)>);

impl UidSet {
    /// All UIDs.
    pub fn all() -> Self {
        Self(vec![(1, u32::MAX)])
    }

    /// From inclusive ranges in any order; an empty range (first > last) is left out.
    pub fn from_ranges(ranges: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut ranges: Vec<_> = ranges.into_iter().filter(|(a, b)| a <= b).collect();
        ranges.sort_unstable();
        let mut out: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        for (a, b) in ranges {
            match out.last_mut() {
                Some(last) if a <= last.1.saturating_add(1) => last.1 = last.1.max(b),
                _ => out.push((a, b)),
            }
        }
        Self(out)
    }

    /// The ranges, inclusive, ascending.
    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.0
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `uid` is in it.
    pub fn contains(&self, uid: u32) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= uid);
        after.checked_sub(1).and_then(|i| self.0.get(i)).is_some_and(|(_, last)| uid <= *last)
    }
}

impl FromIterator<u32> for UidSet {
    fn from_iter<T: IntoIterator<Item = u32>>(uids: T) -> Self {
        Self::from_ranges(uids.into_iter().map(|uid| (uid, uid)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_melt_together() {
        let set: UidSet = [5, 1, 2, 3, 9].into_iter().collect();
        assert_eq!(set.ranges(), [(1, 3), (5, 5), (9, 9)]);
        assert!(set.contains(2) && set.contains(9) && !set.contains(4) && !set.contains(10));
        assert_eq!(UidSet::from_ranges([(4, 2)]), UidSet::default());
        assert_eq!(UidSet::from_ranges([(1, u32::MAX), (3, 4)]), UidSet::all());
    }
}
