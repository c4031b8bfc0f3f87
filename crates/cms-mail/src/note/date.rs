//! Dates of notes.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

/// The order of a date that is written in numbers (`CalendarDateFormat`,
/// Q216550).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DateOrder {
    /// Month, day, year (`U`), of the United States.
    #[default]
    MonthFirst,
    /// Day, month, year (`E`).
    DayFirst,
    /// Year, month, day (`I`). That this is what `I` meant is not verified.
    YearFirst,
}

/// Two-digit years below this one are of 2000 and later.
const PIVOT: i16 = 70;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Names of zones that notes end with, in minutes east of Greenwich.
const ZONES: &[(&str, i32)] = &[
    ("GMT", 0),
    ("UTC", 0),
    ("UT", 0),
    ("WET", 0),
    ("CET", 60),
    ("MEZ", 60),
    ("SET", 60),
    ("BST", 60),
    ("WEST", 60),
    ("EET", 120),
    ("CEST", 120),
    ("MESZ", 120),
    ("IST", 120),
    ("EEST", 180),
    ("AST", -240),
    ("EST", -300),
    ("EDT", -240),
    ("CST", -360),
    ("CDT", -300),
    ("MST", -420),
    ("MDT", -360),
    ("PST", -480),
    ("PDT", -420),
    ("ADT", -180),
    ("JST", 540),
];

/// When a note says it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NoteDate {
    /// As it stands in the note.
    pub text: String,
    /// What the clock on the wall showed; none if it is no date.
    pub local: Option<DateTime>,
    /// The zone, if it has a known name.
    pub offset: Option<Offset>,
}

impl NoteDate {
    /// Reads `13 November 93, 22:52:42 CET`, `05/13/93 22:27:06` and the like.
    pub fn read(text: &str, order: DateOrder) -> Self {
        let text = text.trim();
        let mut words = text.split([' ', ',', '\t']).filter(|word| !word.is_empty());
        let (mut date, mut time, mut offset) = (None, None, None);
        let mut pending: Vec<&str> = Vec::new();
        for word in words.by_ref().take(12) {
            if word.contains(':') {
                time = time.or_else(|| read_time(word));
            } else if let Some(found) = read_date(word, order) {
                date = date.or(Some(found));
            } else if let Some((_, minutes)) =
                ZONES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word))
            {
                offset = Offset::from_seconds(minutes.saturating_mul(60)).ok();
            } else {
                pending.push(word);
                date = date.or_else(|| in_words(&pending));
            }
        }
        let local = date.map(|date: Date| date.to_datetime(time.unwrap_or_else(Time::midnight)));
        Self { text: text.to_owned(), local, offset }
    }

    /// The instant, in the zone of the host where the note names none; none if
    /// the note has no date. What arrives without one was sent when it arrived,
    /// and never in 1601 (Q224597).
    pub fn instant(&self, zone: &TimeZone) -> Option<Timestamp> {
        match self.offset {
            Some(offset) => offset.to_timestamp(self.local?).ok(),
            None => Some(zone.to_zoned(self.local?).ok()?.timestamp()),
        }
    }

    /// A date as notes of CMS have it, with a year of four digits:
    /// `13 November 1993, 22:52:42 GMT`. A zone that has no name in the field is
    /// left to Greenwich.
    pub fn write(at: Timestamp, zone: &TimeZone) -> Self {
        let offset = zone.to_offset(at);
        let named = |(_, minutes): &&(&str, i32)| minutes.saturating_mul(60) == offset.seconds();
        let (name, offset) = match ZONES.iter().find(named) {
            Some((name, _)) => (*name, offset),
            None => ("GMT", Offset::UTC),
        };
        let local = offset.to_datetime(at);
        let month = usize::try_from(local.month()).ok().and_then(|m| MONTHS.get(m.checked_sub(1)?));
        let text = format!(
            "{} {} {}, {:02}:{:02}:{:02} {name}",
            local.day(),
            month.copied().unwrap_or_default(),
            local.year(),
            local.hour(),
            local.minute(),
            local.second(),
        );
        let local = local.date().to_datetime(whole_seconds(local.time()));
        Self { text, local: Some(local), offset: Some(offset) }
    }
}

fn whole_seconds(time: Time) -> Time {
    Time::new(time.hour(), time.minute(), time.second(), 0).unwrap_or_else(|_| Time::midnight())
}

/// `hh:mm` or `hh:mm:ss`, and `AM` or `PM` behind it.
pub(crate) fn read_time(word: &str) -> Option<Time> {
    let upper = word.trim().to_ascii_uppercase();
    let (digits, half) = match upper.strip_suffix("AM").map(|d| (d, Some(0_i8))) {
        Some(found) => found,
        None => upper.strip_suffix("PM").map_or((upper.as_str(), None), |d| (d, Some(12))),
    };
    let mut parts = digits.trim().split(':');
    let mut part = || parts.next()?.trim().parse::<i8>().ok().filter(|n| *n >= 0);
    let (hour, minute) = (part()?, part()?);
    let second = part().unwrap_or_default();
    let hour = match half {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(half) => (hour % 12).saturating_add(half),
        None => hour,
    };
    Time::new(hour, minute, second, 0).ok()
}

/// Three numbers between `/`, `-` or `.`.
pub(crate) fn read_date(word: &str, order: DateOrder) -> Option<Date> {
    let mut parts = word.split(['/', '-', '.']);
    let mut part = || {
        let digits = parts.next()?;
        let plain = !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
        digits.parse::<i16>().ok().filter(|_| plain)
    };
    let three = (part()?, part()?, part()?);
    let four_first = word.find(['/', '-', '.']) == Some(4);
    let (year, month, day) = match (order, three) {
        (_, (year, month, day)) if four_first => (year, month, day),
        (DateOrder::MonthFirst, (month, day, year)) => (year, month, day),
        (DateOrder::DayFirst, (day, month, year)) => (year, month, day),
        (DateOrder::YearFirst, (year, month, day)) => (year, month, day),
    };
    Date::new(full_year(year), i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn full_year(year: i16) -> i16 {
    match year {
        0..PIVOT => year.saturating_add(2000),
        PIVOT..=99 => year.saturating_add(1900),
        _ => year,
    }
}

/// Day, name of the month, year, among the last words.
fn in_words(words: &[&str]) -> Option<Date> {
    let [.., day, month, year] = words else { return None };
    let number = MONTHS.iter().position(|name| {
        month.eq_ignore_ascii_case(name)
            || name.get(..3).is_some_and(|short| month.eq_ignore_ascii_case(short))
    })?;
    let month = i8::try_from(number.saturating_add(1)).ok()?;
    Date::new(full_year(year.parse().ok()?), month, day.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str, order: DateOrder) -> Option<String> {
        let date = NoteDate::read(text, order);
        date.instant(&TimeZone::UTC).map(|instant| instant.to_string())
    }

    #[test]
    fn dates_are_read_as_hosts_write_them() {
        use DateOrder::{DayFirst, MonthFirst, YearFirst};
        for (text, order, expected) in [
            ("13 November 93, 22:52:42 CET", MonthFirst, "1993-11-13T21:52:42Z"),
            ("Sat, 21 Nov 2026 06:50:00 GMT", MonthFirst, "2026-11-21T06:50:00Z"),
            ("05/13/93  22:27:06", MonthFirst, "1993-05-13T22:27:06Z"),
            ("13.05.93  22:27:06", DayFirst, "1993-05-13T22:27:06Z"),
            ("93-05-13 22:27", YearFirst, "1993-05-13T22:27:00Z"),
            ("2026-11-21 06:50", MonthFirst, "2026-11-21T06:50:00Z"),
            ("Date and Time   08-24-93 19:15:20", MonthFirst, "1993-08-24T19:15:20Z"),
            ("01/02/69 10:00", MonthFirst, "2069-01-02T10:00:00Z"),
            ("01/02/70 10:00", MonthFirst, "1970-01-02T10:00:00Z"),
        ] {
            assert_eq!(instant(text, order).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in ["", "yesterday", "13/13/93 22:27", "31 February 93", "99:99", "1/2"] {
            assert_eq!(instant(text, DateOrder::MonthFirst), None, "{text}");
        }
    }

    #[test]
    fn a_date_that_was_written_is_read_again() {
        let at: Timestamp = "1993-11-13T21:52:42Z".parse().unwrap();
        let zone = TimeZone::fixed(Offset::from_seconds(3600).unwrap());
        let date = NoteDate::write(at, &zone);
        assert_eq!(
            NoteDate::read(&date.text, DateOrder::MonthFirst).instant(&TimeZone::UTC),
            Some(at)
        );
        let odd = TimeZone::fixed(Offset::from_seconds(20_700).unwrap());
        let date = NoteDate::write(at, &odd);
        assert_eq!(date.text, "13 November 1993, 21:52:42 GMT");
    }
}
