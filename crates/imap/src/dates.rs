//! Dates between IMAP, mail headers and the clock.

use concord_base::Timestamp;
use mail_parser::DateTime;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// Seconds of a day.
const DAY: i64 = 86_400;

/// Year, month and day of a day number since 1970-01-01
/// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn civil(days: i64) -> (i64, usize, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let mp = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, usize::try_from(month).unwrap_or(1), day)
}

/// INTERNALDATE, quotes included, in UTC: `"17-Jul-1996 02:44:25 +0000"`.
pub(crate) fn internal_date(out: &mut Vec<u8>, at: Timestamp) {
    let seconds = at.seconds();
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    let time = seconds.rem_euclid(DAY);
    let two = |n: i64, pad: u8| {
        let tens = u8::try_from(n / 10 % 10).unwrap_or(0);
        let ones = u8::try_from(n % 10).unwrap_or(0);
        [if tens == 0 { pad } else { b'0' + tens }, b'0' + ones]
    };
    out.push(b'"');
    out.extend_from_slice(&two(day, b' '));
    out.push(b'-');
    out.extend_from_slice(MONTHS.get(month.wrapping_sub(1)).copied().unwrap_or("Jan").as_bytes());
    out.push(b'-');
    // four digits hold every date that IMAP can write
    let year = year.clamp(0, 9_999);
    out.extend_from_slice(&two(year / 100, b'0'));
    out.extend_from_slice(&two(year % 100, b'0'));
    for (mark, n) in [(b' ', time / 3_600), (b':', time / 60 % 60), (b':', time % 60)] {
        out.push(mark);
        out.extend_from_slice(&two(n, b'0'));
    }
    out.extend_from_slice(b" +0000\"");
}

/// The moment of a codec date.
pub(crate) fn moment(date: &imap_types::datetime::DateTime) -> Timestamp {
    Timestamp::from_seconds(date.as_ref().timestamp())
}

/// The day number since 1970-01-01 of a codec date.
pub(crate) fn day_of(date: &imap_types::datetime::NaiveDate) -> i64 {
    let midnight = date.as_ref().and_hms_opt(0, 0, 0);
    midnight.map_or(0, |at| at.and_utc().timestamp().div_euclid(DAY))
}

/// The day number of a moment. INTERNALDATE is in UTC here, and SEARCH
/// disregards time and time zone (RFC 3501 section 6.4.4).
pub(crate) fn day(at: Timestamp) -> i64 {
    at.seconds().div_euclid(DAY)
}

/// The day that a Date field names, in its own time zone; `None` if it is no date.
pub(crate) fn sent_day(date: &str) -> Option<i64> {
    let date = DateTime::parse_rfc822(&format!("{date}\r\n"))?;
    if !(1..=12).contains(&date.month) || !(1..=31).contains(&date.day) {
        return None;
    }
    Some(date.to_timestamp_local().div_euclid(DAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_dates() {
        for (seconds, text) in [
            (0, "\" 1-Jan-1970 00:00:00 +0000\""),
            (837_571_465, "\"17-Jul-1996 02:44:25 +0000\""),
            (951_782_400, "\"29-Feb-2000 00:00:00 +0000\""),
            (-1, "\"31-Dec-1969 23:59:59 +0000\""),
        ] {
            let mut out = Vec::new();
            internal_date(&mut out, Timestamp::from_seconds(seconds));
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn sent_days_are_local() {
        // 23:30 -0500 is the next day in UTC and still the 1st where it was sent
        assert_eq!(sent_day("Thu, 1 Jan 1970 23:30:00 -0500"), Some(0));
        assert_eq!(sent_day("Fri, 2 Jan 1970 00:30:00 +0500"), Some(1));
        assert_eq!(sent_day("yesterday"), None);
    }
}
