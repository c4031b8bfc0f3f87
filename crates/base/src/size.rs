//! Sizes with units.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A number of bytes, written `50 MiB`, `1 GiB`, `4096` or `10 MB`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// `n` times 1,024 bytes.
    pub const fn kib(n: u64) -> Self {
        Self(n * 1024)
    }
    /// `n` times 1,048,576 bytes.
    pub const fn mib(n: u64) -> Self {
        Self(n * 1024 * 1024)
    }
}

const UNITS: [(&str, u64); 8] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

/// The text is not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a size; write a number and a unit, for example '50 MiB' or '200 kB'")]
pub struct ParseByteSizeError(pub String);

impl FromStr for ByteSize {
    type Err = ParseByteSizeError;

    fn from_str(text: &str) -> Result<Self, ParseByteSizeError> {
        let fail = || ParseByteSizeError(text.chars().take(40).collect());
        let trimmed = text.trim();
        let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = trimmed.split_at_checked(digits).ok_or_else(fail)?;
        let number: u64 = number.parse().map_err(|_| fail())?;
        let unit = unit.trim();
        let factor = if unit.is_empty() || unit == "B" {
            1
        } else {
            UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).ok_or_else(fail)?.1
        };
        number.checked_mul(factor).map(ByteSize).ok_or_else(fail)
    }
}

impl fmt::Display for ByteSize {
    /// The largest binary unit that leaves a whole number, else one decimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((name, factor)) = UNITS.iter().take(4).rev().find(|(_, factor)| self.0 >= *factor)
        else {
            return f.pad(&format!("{} B", self.0));
        };
        let whole = self.0 / factor;
        let tenth = (self.0 % factor).saturating_mul(10) / factor;
        let text = if self.0.is_multiple_of(*factor) {
            format!("{whole} {name}")
        } else {
            format!("{whole}.{tenth} {name}")
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_written() {
        for (text, bytes) in
            [("0", 0), ("10 MiB", 10 << 20), ("1gib", 1 << 30), ("5 MB", 5_000_000), ("7B", 7)]
        {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for text in ["", "MiB", "1 parsec", "-1", "1.5 MiB", "99999999999 TiB"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_print_short() {
        assert_eq!(ByteSize(512).to_string(), "512 B");
        assert_eq!(ByteSize::mib(50).to_string(), "50 MiB");
        assert_eq!(ByteSize(1536).to_string(), "1.5 KiB");
    }
}
