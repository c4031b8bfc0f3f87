//! What keeps a run from deleting everybody.
//!
//! The original deleted all GroupWise users when answers came in another order
//! than they were expected (Q222186).

use serde::{Deserialize, Serialize};
use std::fmt;

/// Percent of the owned entries that a run may delete unasked.
pub const DEFAULT_SHARE: u8 = 10;
/// Deletions that a run may make whatever their share: a department of a small
/// directory may close.
pub const DEFAULT_MINIMUM: u64 = 10;

/// Whether the administrator has looked at the deletions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// Nobody has.
    #[default]
    None,
    /// They are meant. A listing without its end still deletes nobody.
    Given,
}

/// How many deletions are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// See [`DEFAULT_SHARE`].
    pub share: u8,
    /// See [`DEFAULT_MINIMUM`].
    pub minimum: u64,
    /// For this run.
    #[serde(default)]
    pub approval: Approval,
}

impl Default for Guard {
    fn default() -> Self {
        Self { share: DEFAULT_SHARE, minimum: DEFAULT_MINIMUM, approval: Approval::None }
    }
}

/// Why deletions are withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Withheld {
    /// The end of the listing was not seen.
    Incomplete,
    /// Fewer entries came than were announced.
    Short {
        /// How many were announced.
        announced: u64,
        /// How many came.
        listed: u64,
    },
    /// No entry came, though some are known.
    Empty {
        /// How many are known.
        owned: u64,
    },
    /// More than the share.
    TooMany {
        /// How many would be deleted.
        deletions: u64,
        /// How many are known.
        owned: u64,
        /// Percent that may be deleted unasked.
        share: u8,
    },
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incomplete => f.write_str("the end of the listing was not seen; run again"),
            Self::Short { announced, listed } => write!(
                f,
                "{announced} entries were announced, but {listed} came; run again, or look at \
                 the foreign system"
            ),
            Self::Empty { owned } => write!(
                f,
                "the listing is empty, though {owned} entries are known; look at the foreign \
                 system, and approve the deletions if they are meant"
            ),
            Self::TooMany { deletions, owned, share } => write!(
                f,
                "{deletions} of {owned} entries would be deleted, more than {share} %; look at \
                 them, and approve them if they are meant"
            ),
        }
    }
}

/// What it means that an entry did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absence {
    /// It is gone.
    Gone,
    /// Nothing.
    Nothing,
}

/// What is known when deletions are judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    pub(crate) complete: bool,
    pub(crate) announced: Option<u64>,
    /// Entries that came.
    pub(crate) listed: u64,
    /// Whether an entry that did not come is gone.
    pub(crate) absence: Absence,
    /// Entries that could be deleted.
    pub(crate) owned: u64,
    pub(crate) deletions: u64,
}

impl Guard {
    /// Why the deletions are not to be made; none if they are.
    pub(crate) fn judge(&self, facts: Facts) -> Option<Withheld> {
        let Facts { complete, announced, listed, absence, owned, deletions } = facts;
        if deletions == 0 {
            return None;
        }
        if !complete {
            return Some(Withheld::Incomplete);
        }
        if let Some(announced) = announced.filter(|announced| *announced > listed) {
            return Some(Withheld::Short { announced, listed });
        }
        if self.approval == Approval::Given {
            return None;
        }
        if listed == 0 && absence == Absence::Gone {
            return Some(Withheld::Empty { owned });
        }
        let share = u128::from(deletions) * 100 > u128::from(owned) * u128::from(self.share);
        let many = deletions > self.minimum && share;
        many.then_some(Withheld::TooMany { deletions, owned, share: self.share })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(listed: u64, owned: u64, deletions: u64) -> Option<Withheld> {
        let absence = Absence::Gone;
        let facts = Facts { complete: true, announced: None, listed, absence, owned, deletions };
        Guard::default().judge(facts)
    }

    #[test]
    fn few_deletions_are_believed_and_many_are_not() {
        assert_eq!(judge(990, 1000, 10), None);
        assert_eq!(judge(900, 1000, 100), None);
        let too_many = Withheld::TooMany { deletions: 101, owned: 1000, share: 10 };
        assert_eq!(judge(899, 1000, 101), Some(too_many));
        assert_eq!(judge(2, 12, 10), None);
        assert_eq!(judge(0, 3, 3), Some(Withheld::Empty { owned: 3 }));
        assert_eq!(judge(0, 0, 0), None);
    }

    #[test]
    fn approval_helps_against_numbers_but_not_against_a_missing_end() {
        let guard = Guard { approval: Approval::Given, ..Guard::default() };
        let facts = Facts {
            complete: true,
            announced: None,
            listed: 0,
            absence: Absence::Gone,
            owned: 5_000,
            deletions: 5_000,
        };
        assert_eq!(guard.judge(facts), None);
        let cut = Facts { complete: false, ..facts };
        assert_eq!(guard.judge(cut), Some(Withheld::Incomplete));
        let short = Facts { announced: Some(5_000), listed: 4_999, ..facts };
        let expected = Withheld::Short { announced: 5_000, listed: 4_999 };
        assert_eq!(guard.judge(short), Some(expected));
    }
}
