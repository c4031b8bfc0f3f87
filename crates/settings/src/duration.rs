//! Durations as texts: `5 d`, `4 h`, `30 min`, `15 s`, `200 ms`.

use std::time::Duration;

/// Milliseconds of each unit, largest first; the first name is the one we write.
const UNITS: [(&[&str], u64); 5] = [
    (&["d", "day", "days"], 86_400_000),
    (&["h", "hour", "hours"], 3_600_000),
    (&["min", "m", "minute", "minutes"], 60_000),
    (&["s", "sec", "second", "seconds"], 1_000),
    (&["ms"], 1),
];

/// The text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a duration; write a number and a unit, for example '5 d', '4 h', '30 min', '15 s' or '200 ms'"
)]
pub struct ParseDurationError(pub String);

/// Reads a number and a unit.
pub fn parse_duration(text: &str) -> Result<Duration, ParseDurationError> {
    let fail = || ParseDurationError(text.chars().take(40).collect());
    let trimmed = text.trim();
    let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = trimmed.split_at_checked(digits).ok_or_else(fail)?;
    let number: u64 = number.parse().map_err(|_| fail())?;
    let unit = unit.trim();
    let factor = UNITS.iter().find(|(names, _)| names.contains(&unit)).ok_or_else(fail)?.1;
    number.checked_mul(factor).map(Duration::from_millis).ok_or_else(fail)
}

/// The largest unit that leaves a whole number; what is under a millisecond
/// is dropped.
pub fn format_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis == 0 {
        return "0 s".to_owned();
    }
    for (names, factor) in UNITS {
        if millis.is_multiple_of(u128::from(factor)) {
            let name = names.first().copied().unwrap_or_default();
            return format!("{} {name}", millis / u128::from(factor));
        }
    }
    format!("{millis} ms")
}
