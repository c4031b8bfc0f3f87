//! Dates as the files write them: `26/11/1998 1:5 +0`.
//!
//! Day first, no padding needed, seconds and offset may be missing. Two-digit
//! years are 1970 to 2069. A date without an offset is in the gateway's local
//! time, which only the link's settings know.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use std::fmt;

/// Hours that an offset may have; real ones go from -12 to +14.
const MAX_OFFSET_HOURS: i32 = 15;

/// A date and time of day as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Moment {
    /// What the clock on the wall says.
    pub local: DateTime,
    /// How far that clock is ahead of UTC; `None` is the gateway's local time.
    pub offset: Option<Offset>,
}

impl Moment {
    /// An instant as `zone` shows it, with its offset written out, so that no
    /// reader applies one of its own (Q271614, Q279805).
    pub fn in_zone(instant: Timestamp, zone: &TimeZone) -> Self {
        let zoned = instant.to_zoned(zone.clone());
        let local = zoned.datetime();
        Self { local, offset: Some(zoned.offset()) }
    }

    /// The instant; `gateway` is the zone of dates that have no offset. `None`
    /// at the ends of time.
    pub fn instant(&self, gateway: &TimeZone) -> Option<Timestamp> {
        match self.offset {
            Some(offset) => offset.to_timestamp(self.local).ok(),
            None => gateway.to_timestamp(self.local).ok(),
        }
    }

    /// Reads a date; `None` if it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let date = words.next()?;
        let (day, rest) = date.split_once('/')?;
        let (month, year) = rest.split_once('/')?;
        let (mut time, mut offset, mut half) = (None, None, None);
        for word in words {
            match word.bytes().next()? {
                b'+' | b'-' if offset.is_none() => offset = Some(read_offset(word)?),
                b'0'..=b'9' if time.is_none() => time = Some(word),
                b'A' | b'a' | b'P' | b'p' if half.is_none() => half = Some(afternoon(word)?),
                _ => return None,
            }
        }
        let (hour, minute, second) = read_time(time.unwrap_or("0:0"), half)?;
        let local =
            DateTime::new(read_year(year)?, small(month)?, small(day)?, hour, minute, second, 0)
                .ok()?;
        Some(Self { local, offset })
    }
}

fn small(digits: &str) -> Option<i8> {
    digits_only(digits, 2)?.parse().ok()
}

fn digits_only(text: &str, most: usize) -> Option<&str> {
    let good = (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    good.then_some(text)
}

fn read_year(text: &str) -> Option<i16> {
    let year: i16 = digits_only(text, 4)?.parse().ok()?;
    match text.len() {
        2 if year >= 70 => Some(1900 + year),
        2 => Some(2000 + year),
        4 => Some(year),
        _ => None,
    }
}

fn afternoon(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "am" => Some(false),
        "pm" => Some(true),
        _ => None,
    }
}

fn read_time(text: &str, half: Option<bool>) -> Option<(i8, i8, i8)> {
    let mut parts = text.split(':');
    let hour = small(parts.next()?)?;
    let minute = small(parts.next()?)?;
    let second = parts.next().map_or(Some(0), small)?;
    if parts.next().is_some() {
        return None;
    }
    let hour = match half {
        None => hour,
        Some(later) if (1..=12).contains(&hour) => hour % 12 + if later { 12 } else { 0 },
        Some(_) => return None,
    };
    Some((hour, minute, second))
}

fn read_offset(word: &str) -> Option<Offset> {
    let (sign, digits) = (word.get(..1)?, word.get(1..)?);
    let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "0"));
    let (hours, minutes) = (i32::from(small(hours)?), i32::from(small(minutes)?));
    if hours > MAX_OFFSET_HOURS || minutes > 59 {
        return None;
    }
    let seconds = (hours * 60 + minutes) * 60;
    Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).ok()
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.local;
        write!(f, "{}/{}/{:04} {}:{:02}", at.day(), at.month(), at.year(), at.hour(), at.minute())?;
        if at.second() != 0 {
            write!(f, ":{:02}", at.second())?;
        }
        let Some(offset) = self.offset else { return Ok(()) };
        let minutes = offset.seconds() / 60;
        write!(f, " {}{}", if minutes < 0 { '-' } else { '+' }, minutes.abs() / 60)?;
        match minutes.abs() % 60 {
            0 => Ok(()),
            rest => write!(f, ":{rest:02}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        Moment::parse(text).map_or_else(|| "no date".into(), |m| m.to_string())
    }

    #[test]
    fn dates_read_as_gateways_write_them() {
        let utc = TimeZone::UTC;
        let begin = Moment::parse("26/11/1998 1:5 +0").unwrap();
        assert_eq!(begin.instant(&utc).unwrap().to_string(), "1998-11-26T01:05:00Z");
        let local = Moment::parse("23/8/2007 15:59").unwrap();
        assert_eq!(local.offset, None);
        assert_eq!(local.local.to_string(), "2007-08-23T15:59:00");
        assert_eq!(Moment::parse("01/02/69 10:00").unwrap().local.year(), 2069);
        assert_eq!(Moment::parse("01/02/70 10:00").unwrap().local.year(), 1970);
        assert_eq!(written("21/03/2001 10:22:31"), "21/3/2001 10:22:31");
        assert_eq!(written("21/03/2001 10:22 PM"), "21/3/2001 22:22");
        assert_eq!(written("1/1/2001 9:00 +5:30"), "1/1/2001 9:00 +5:30");
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in
            ["", "26/11", "31/2/2001 1:00", "1/1/199 1:00", "1/1/2001 25:00", "1/1/2001 1:00 +99"]
        {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    // Q279805: an offset applied twice made a receipt seven hours late. Q271614: local time
    // was written as if it were UTC.
    #[test]
    fn an_instant_survives_zones_on_both_sides() {
        let at: Timestamp = "1998-11-26T01:05:00Z".parse().unwrap();
        for hours in [-7, 0, 2, 8] {
            let zone = TimeZone::fixed(jiff::tz::offset(hours));
            let text = Moment::in_zone(at, &zone).to_string();
            let read = Moment::parse(&text).unwrap();
            assert_eq!(read.instant(&TimeZone::fixed(jiff::tz::offset(-3))), Some(at), "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,40}") {
            let _ = Moment::parse(&text);
        }

        #[test]
        fn reads_back_as_written(text in "[0-3]?[0-9]/1?[0-9]/(19|20)?[0-9]{2} [0-2]?[0-9]:[0-5]?[0-9](:[0-5][0-9])?( [+-]1?[0-9](:[0-5][0-9])?)?") {
            if let Some(moment) = Moment::parse(&text) {
                prop_assert_eq!(Moment::parse(&moment.to_string()), Some(moment));
            }
        }
    }
}
