//! Dates as headers write them.

use concord_base::Timestamp;
use jiff::tz::TimeZone;

/// A date of RFC 5322 section 3.3 in UTC: `Fri, 13 Feb 2009 23:31:30 +0000`.
///
/// RFC 5322 has four-digit years: what lies before 1970, or after the
/// next-to-last day of 9999, is printed as the nearest of these.
pub fn rfc5322(at: Timestamp) -> String {
    let seconds = at.seconds().clamp(0, jiff::Timestamp::MAX.as_second());
    let zoned = jiff::Timestamp::from_second(seconds)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_zoned(TimeZone::UTC);
    // The printer refuses negative years only, and there are none here.
    jiff::fmt::rfc2822::to_string(&zoned).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_print_in_utc() {
        let date = |s| rfc5322(Timestamp::from_seconds(s));
        assert_eq!(date(1_234_567_890), "Fri, 13 Feb 2009 23:31:30 +0000");
        assert_eq!(date(0), "Thu, 1 Jan 1970 00:00:00 +0000");
        assert_eq!(date(-5), date(0));
        assert_eq!(rfc5322(Timestamp(i64::MAX)), "Thu, 30 Dec 9999 22:00:00 +0000");
    }

    #[test]
    fn dates_read_back() {
        let seconds = 1_790_000_000;
        let text = format!("Date: {}\r\n\r\n", rfc5322(Timestamp::from_seconds(seconds)));
        let read = mail_parser::MessageParser::new().parse(text.as_bytes()).unwrap();
        assert_eq!(read.date().unwrap().to_timestamp(), seconds);
    }
}
