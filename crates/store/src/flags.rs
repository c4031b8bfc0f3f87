//! Flags of items.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Keywords on one item; more is a client gone wild.
pub const MAX_KEYWORDS: usize = 64;
/// Length of a keyword in octets; real ones are short.
const MAX_KEYWORD: usize = 128;

/// The system flags of RFC 3501 section 2.3.2, as a bit set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SystemFlags(pub u8);

impl SystemFlags {
    /// `\Seen`
    pub const SEEN: Self = Self(1);
    /// `\Answered`
    pub const ANSWERED: Self = Self(2);
    /// `\Flagged`
    pub const FLAGGED: Self = Self(4);
    /// `\Deleted`
    pub const DELETED: Self = Self(8);
    /// `\Draft`
    pub const DRAFT: Self = Self(16);
    /// All with their IMAP names, in the order in which we print them.
    pub const NAMES: [(Self, &'static str); 5] = [
        (Self::ANSWERED, "\\Answered"),
        (Self::FLAGGED, "\\Flagged"),
        (Self::DELETED, "\\Deleted"),
        (Self::SEEN, "\\Seen"),
        (Self::DRAFT, "\\Draft"),
    ];

    /// Whether all of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
    /// Both sets together.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// `self` without `other`.
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// A keyword: an IMAP atom without a backslash, its case kept; `Eq` and `Ord`
/// disregard case, as RFC 3501 wants.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Keyword(Arc<str>);

/// The text is not a keyword.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a keyword (an IMAP atom of at most 128 characters)")]
pub struct ParseKeywordError(pub String);

impl Keyword {
    /// A keyword from its text.
    pub fn new(text: &str) -> Result<Self, ParseKeywordError> {
        let atom = !text.is_empty()
            && text.len() <= MAX_KEYWORD
            && text.bytes().all(|c| c.is_ascii_graphic() && !b"(){%*\"\\]".contains(&c));
        if atom {
            Ok(Self(text.into()))
        } else {
            Err(ParseKeywordError(text.chars().take(40).collect()))
        }
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn folded(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.bytes().map(|c| c.to_ascii_lowercase())
    }
}

impl PartialEq for Keyword {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}
impl Eq for Keyword {}
impl PartialOrd for Keyword {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Keyword {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.folded().cmp(other.folded())
    }
}
impl std::hash::Hash for Keyword {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        for c in self.folded() {
            state.write_u8(c);
        }
    }
}
impl TryFrom<String> for Keyword {
    type Error = ParseKeywordError;
    fn try_from(text: String) -> Result<Self, ParseKeywordError> {
        Self::new(&text)
    }
}
impl From<Keyword> for String {
    fn from(keyword: Keyword) -> String {
        keyword.0.as_ref().to_owned()
    }
}
impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The flags of an item: system flags and sorted keywords.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FlagSet {
    /// System flags.
    pub system: SystemFlags,
    /// Keywords, sorted, each once. `None` is none; most items have none.
    pub keywords: Option<Arc<[Keyword]>>,
}

impl FlagSet {
    /// Only system flags.
    pub const fn system(system: SystemFlags) -> Self {
        Self { system, keywords: None }
    }

    /// System flags and keywords, in any order.
    pub fn new(system: SystemFlags, keywords: impl IntoIterator<Item = Keyword>) -> Self {
        let mut keywords: Vec<Keyword> = keywords.into_iter().collect();
        keywords.sort();
        keywords.dedup();
        Self { system, keywords: (!keywords.is_empty()).then(|| keywords.into()) }
    }

    /// The keywords.
    pub fn keywords(&self) -> &[Keyword] {
        self.keywords.as_deref().unwrap_or_default()
    }

    /// The set after a change.
    pub fn changed(&self, change: &FlagChange) -> FlagSet {
        let all = || self.keywords().iter().cloned();
        match change {
            FlagChange::Replace(new) => new.clone(),
            FlagChange::Add(new) if new.keywords.is_none() => {
                Self { system: self.system.union(new.system), keywords: self.keywords.clone() }
            }
            FlagChange::Add(new) => Self::new(
                self.system.union(new.system),
                all().chain(new.keywords().iter().cloned()),
            ),
            FlagChange::Remove(old) => Self::new(
                self.system.difference(old.system),
                all().filter(|k| !old.keywords().contains(k)),
            ),
        }
    }
}

/// A change of flags (the three forms of IMAP STORE).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FlagChange {
    /// `FLAGS`
    Replace(FlagSet),
    /// `+FLAGS`
    Add(FlagSet),
    /// `-FLAGS`
    Remove(FlagSet),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_change_as_store_says() {
        let k = |t: &str| Keyword::new(t).unwrap();
        let set = FlagSet::new(SystemFlags::SEEN, [k("b"), k("A"), k("a")]);
        assert_eq!(set.keywords().len(), 2);
        let more = set.changed(&FlagChange::Add(FlagSet::new(SystemFlags::DRAFT, [k("c")])));
        assert_eq!(more.keywords().len(), 3);
        assert!(more.system.contains(SystemFlags::SEEN));
        let less = more.changed(&FlagChange::Remove(FlagSet::new(SystemFlags::SEEN, [k("B")])));
        assert_eq!(less, FlagSet::new(SystemFlags::DRAFT, [k("a"), k("c")]));
        assert!(Keyword::new("no space").is_err());
        assert!(Keyword::new("").is_err());
    }
}
