//! Sequence sets against a folder's items.

use concord_store::{Item, UidSet};
use imap_types::sequence::{SeqOrUid, Sequence, SequenceSet};

/// The sequence set in numbers; `*` is `last`. Ranges may come in any order
/// (RFC 3501 section 9, `seq-range`).
fn ranges(set: &SequenceSet, last: u32) -> UidSet {
    let value = |bound: &SeqOrUid| match bound {
        SeqOrUid::Value(n) => n.get(),
        SeqOrUid::Asterisk => last,
    };
    UidSet::from_ranges(set.0.as_ref().iter().map(|sequence| match sequence {
        Sequence::Single(a) => (value(a), value(a)),
        Sequence::Range(a, b) => {
            let (a, b) = (value(a), value(b));
            (a.min(b), a.max(b))
        }
    }))
}

/// Positions (from 0) in `items` that the set names, ascending. UIDs that do
/// not exist are ignored.
///
/// # Errors
/// The number, when a sequence number is not there.
pub(crate) fn positions(
    set: &SequenceSet,
    uid: bool,
    items: &[Item],
) -> Result<Vec<std::ops::Range<usize>>, u32> {
    let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
    if !uid {
        let ranges = ranges(set, count);
        return ranges
            .ranges()
            .iter()
            .map(|(a, b)| match (*a, *b) {
                (0, _) => Err(0),
                (_, b) if b > count => Err(b),
                (a, b) => Ok(index(a) - 1..index(b)),
            })
            .collect();
    }
    let last = items.last().map_or(0, |item| item.uid);
    let wanted = ranges(set, last);
    let found = wanted.ranges().iter().map(|(a, b)| {
        let from = items.partition_point(|item| item.uid < *a);
        let to = items.partition_point(|item| item.uid <= *b);
        from..to.max(from)
    });
    Ok(found.filter(|range| !range.is_empty()).collect())
}

/// The set as UIDs, for SEARCH and UID EXPUNGE.
pub(crate) fn uids(set: &SequenceSet, items: &[Item]) -> UidSet {
    ranges(set, items.last().map_or(0, |item| item.uid))
}

/// The set as sequence numbers, for SEARCH: those past the end fit nothing.
pub(crate) fn numbers(set: &SequenceSet, items: &[Item]) -> UidSet {
    ranges(set, u32::try_from(items.len()).unwrap_or(u32::MAX))
}

fn index(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_base::{MessageId, Timestamp};
    use concord_store::FlagSet;

    fn items(uids: &[u32]) -> Vec<Item> {
        let item = |uid: &u32| Item {
            uid: *uid,
            message: MessageId(1),
            flags: FlagSet::default(),
            modseq: 1,
            internal_date: Timestamp(0),
            octets: 0,
        };
        uids.iter().map(item).collect()
    }

    #[test]
    #[allow(clippy::single_range_in_vec_init)] // ranges of positions are meant
    fn sets_find_their_items() {
        let items = items(&[2, 4, 6, 8]);
        for (set, uid, found) in [
            ("1:*", false, Ok(vec![0..4])),
            ("*", false, Ok(vec![3..4])),
            ("4:2,1", false, Ok(vec![0..4])),
            ("5", false, Err(5)),
            ("1:5", false, Err(5)),
            ("1:*", true, Ok(vec![0..4])),
            ("9:*", true, Ok(vec![3..4])),
            ("3", true, Ok(vec![])),
            ("3:5,8", true, Ok(vec![1..2, 3..4])),
        ] {
            let set = SequenceSet::try_from(set).unwrap();
            assert_eq!(positions(&set, uid, &items), found, "{set:?}");
        }
        assert_eq!(positions(&SequenceSet::try_from("1:*").unwrap(), true, &[]), Ok(vec![]));
        assert_eq!(positions(&SequenceSet::try_from("1").unwrap(), false, &[]), Err(1));
    }
}
