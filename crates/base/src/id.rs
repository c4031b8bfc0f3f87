//! Identifiers. All are positive 64-bit numbers given out by the engine in
//! log order, never used twice, so a replay gives out the same ones.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

number_id!(
    /// A directory object. A mailbox's [`MailboxId`] is its object's id.
    ObjectId
);
number_id!(
    /// A mailbox; the same number as its directory object.
    MailboxId
);
number_id!(
    /// A folder of a mailbox.
    FolderId
);
number_id!(
    /// A stored message: one body, however many mailboxes and deliveries refer to it.
    MessageId
);
number_id!(
    /// One recipient of one queued message.
    DeliveryId
);

impl From<ObjectId> for MailboxId {
    fn from(id: ObjectId) -> Self {
        Self(id.0)
    }
}

impl From<MailboxId> for ObjectId {
    fn from(id: MailboxId) -> Self {
        Self(id.0)
    }
}

/// A message's name towards people and peers: what `250 2.0.0 queued as ...`
/// says, and what `concord trace` and `concord queue show` take.
///
/// It is the [`MessageId`] in Crockford's base 32 behind a `Q`: no vowels that
/// make words, no letters that are mistaken for digits when read aloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueId(pub MessageId);

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// A u64 needs at most 13 digits of 5 bits.
const MAX_DIGITS: usize = 13;
/// Shorter ones are padded so that columns of them line up.
const MIN_DIGITS: usize = 7;

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = Vec::with_capacity(MAX_DIGITS);
        let mut rest = self.0.0;
        while rest > 0 || digits.len() < MIN_DIGITS {
            let digit = usize::try_from(rest & 31).unwrap_or(0);
            digits.push(char::from(CROCKFORD.get(digit).copied().unwrap_or(b'0')));
            rest >>= 5;
        }
        let text: String = std::iter::once('Q').chain(digits.into_iter().rev()).collect();
        f.pad(&text)
    }
}

/// The text is not a queue id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a queue id (Q and 7 to 13 letters and digits)")]
pub struct ParseIdError(pub String);

impl FromStr for QueueId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let fail = || ParseIdError(text.chars().take(40).collect());
        let digits = text.strip_prefix(['Q', 'q']).ok_or_else(fail)?;
        if digits.len() < MIN_DIGITS || digits.len() > MAX_DIGITS {
            return Err(fail());
        }
        let mut value: u64 = 0;
        for c in digits.bytes() {
            let c = match c.to_ascii_uppercase() {
                b'I' | b'L' => b'1',
                b'O' => b'0',
                c => c,
            };
            let digit = CROCKFORD.iter().position(|x| *x == c).ok_or_else(fail)?;
            let digit = u64::try_from(digit).map_err(|_| fail())?;
            value = value.checked_mul(32).and_then(|v| v.checked_add(digit)).ok_or_else(fail)?;
        }
        Ok(Self(MessageId(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queue_ids_read_back() {
        for n in [1, 31, 32, 12_345_678, u64::MAX] {
            let id = QueueId(MessageId(n));
            assert_eq!(id.to_string().parse(), Ok(id));
            assert_eq!(id.to_string().to_lowercase().parse(), Ok(id));
        }
    }

    #[test]
    fn what_is_no_queue_id_is_refused() {
        for text in ["", "Q", "Q123", "X1234567", "Q12345678901234", "QZZZZZZZZZZZZZ", "Q123456U"] {
            assert!(text.parse::<QueueId>().is_err(), "{text}");
        }
    }
}
