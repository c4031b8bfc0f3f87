//! Values that the file writes as texts with units.

use concord_base::ByteSize;
use serde::{Deserialize, Deserializer, de::Error};
use std::fmt;
use std::time::Duration;

/// A time with its unit: `"2 h"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(pub Duration);

impl Period {
    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        concord_settings::parse_duration(&text).map(Self).map_err(D::Error::custom)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&concord_settings::format_duration(self.0))
    }
}

/// A number of octets with its unit: `"10 MiB"`. A number without a unit is
/// refused: the original's limits were once bytes and once kilobytes (Q240788).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(pub u64);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.trim().bytes().all(|b| b.is_ascii_digit()) {
            let text =
                format!("'{text}' has no unit; write for example '{text} KiB' or '{text} B'");
            return Err(D::Error::custom(text));
        }
        text.parse::<ByteSize>().map(|size| Self(size.0)).map_err(D::Error::custom)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ByteSize(self.0).fmt(f)
    }
}
