//! How urgent a message says that it is.

use serde::{Deserialize, Serialize};

/// How urgent a message is for transport.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Urgency {
    /// `Priority: urgent`
    Urgent,
    /// Everything else.
    #[default]
    Normal,
    /// `Priority: non-urgent`
    NonUrgent,
}

impl Urgency {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Urgent, Self::Normal, Self::NonUrgent];

    /// Stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Normal => "normal",
            Self::NonUrgent => "non-urgent",
        }
    }

    /// `Priority` (RFC 2156 section 5.3.6): the sender's word for transport.
    pub(crate) fn of_priority(value: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|u| is_word(value, u.as_str()))
    }

    /// `Importance` (RFC 2156 section 5.3.4).
    pub(crate) fn of_importance(value: &[u8]) -> Option<Self> {
        [("high", Self::Urgent), ("normal", Self::Normal), ("low", Self::NonUrgent)]
            .into_iter()
            .find_map(|(word, urgency)| is_word(value, word).then_some(urgency))
    }

    /// `X-Priority`, in nobody's standard and in most mail programs: 1 is the
    /// highest, 5 the lowest, and words may follow.
    pub(crate) fn of_x_priority(value: &[u8]) -> Option<Self> {
        match value.trim_ascii().first()? {
            b'1' | b'2' => Some(Self::Urgent),
            b'3' => Some(Self::Normal),
            b'4' | b'5' => Some(Self::NonUrgent),
            _ => None,
        }
    }
}

fn is_word(value: &[u8], word: &str) -> bool {
    value.trim_ascii().eq_ignore_ascii_case(word.as_bytes())
}
