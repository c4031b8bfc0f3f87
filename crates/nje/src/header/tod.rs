//! The TOD clock of System/370.

/// A moment as a host's clock has it: 2^-12 microseconds since 1900-01-01 UTC, in
/// 64 bits, which last until September 2042. Zero is no moment: JES2 wrote bad
/// accounting records of such jobs (Q197115).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TodClock(pub u64);

/// Microseconds from 1900-01-01 to 1970-01-01.
const EPOCH: u64 = 2_208_988_800_000_000;
/// Bit 51 is a microsecond.
const MICROSECOND: u32 = 12;

impl TodClock {
    /// The moment that is so many microseconds after 1970-01-01 UTC; `None` if
    /// the clock does not reach there.
    pub fn from_unix_micros(micros: i64) -> Option<Self> {
        let since_1900 = i128::from(EPOCH).checked_add(i128::from(micros))?;
        let since_1900 = u64::try_from(since_1900).ok()?;
        (since_1900.leading_zeros() >= MICROSECOND).then_some(Self(since_1900 << MICROSECOND))
    }

    /// Microseconds after 1970-01-01 UTC.
    pub fn unix_micros(self) -> i64 {
        let since_1900 = i64::try_from(self.0 >> MICROSECOND).unwrap_or(i64::MAX);
        since_1900.saturating_sub(i64::try_from(EPOCH).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        // From a file that a node made, and what its decoder made of it.
        let moment = TodClock(0xe39d_66be_0000_0000);
        assert_eq!(moment.unix_micros(), 1_795_253_969_575_936);
        assert_eq!(TodClock::from_unix_micros(1_795_253_969_575_936), Some(moment));
        assert_eq!(TodClock::from_unix_micros(0), Some(TodClock(0x7d91_048b_ca00_0000)));
        assert_eq!(TodClock::from_unix_micros(i64::MAX), None);
        assert_eq!(TodClock::from_unix_micros(-2_208_988_800_000_001), None);
        assert_eq!(TodClock(0).unix_micros(), -2_208_988_800_000_000);
    }
}
